"""What has to be there before the first deal: the built-in process (PROC-1)."""

from services.deals.domain.process import PublishProcess, process
from services.deals.domain.short_process import SHORT, SHORT_ID
from shared.commands.executor import CommandExecutor
from shared.commands.request import CommandRequest
from shared.domain.context import service_actor


async def publish_short_process(commands: CommandExecutor) -> None:
    """The built-in process is there from the first start on."""
    await commands.execute(CommandRequest(process, SHORT_ID, PublishProcess(definition=SHORT), service_actor("deals")))
