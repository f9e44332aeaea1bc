"""What has to be there before the first deal: the built-in process (PROC-1)."""

from services.deals.domain.process import PublishProcess, process
from services.deals.domain.short_process import SHORT, SHORT_ID
from shared.domain.context import service_actor
from shared.http.context import Running


async def publish_short_process(running: Running) -> None:
    """The built-in process is there from the first start on."""
    await running.commands.execute(process, SHORT_ID, PublishProcess(definition=SHORT), service_actor("deals"))
