"""What has to be there before the first review: the report of the running month, which all others follow (PROC-6)."""

from services.forecast.domain.review import MONTHLY, OpenReview, review, review_of
from shared.commands.executor import CommandExecutor
from shared.commands.request import CommandRequest
from shared.domain.context import service_actor


async def open_report_of_running_month(commands: CommandExecutor) -> None:
    """The report of the month in which a service starts is awaited; one that is already stays as it is."""
    today = commands.today()
    period = f"{today.year:04}-{today.month:02}"
    command = OpenReview(kind=MONTHLY, period=period)
    await commands.execute(CommandRequest(review, review_of(MONTHLY, period), command, service_actor("forecast")))
