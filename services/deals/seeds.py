"""What has to be there before the first deal: the built-in processes (PROC-1)."""

import structlog

from services.deals.domain.process import process
from services.deals.domain.process.full import FULL, FULL_ID
from services.deals.domain.process.publishing import PublishProcess
from services.deals.domain.process.short import SHORT, SHORT_ID
from shared.commands.executor import CommandExecutor
from shared.commands.request import CommandRequest
from shared.domain.context import service_actor
from shared.domain.rejection import Rejected

log = structlog.get_logger()


async def publish_processes(commands: CommandExecutor) -> None:
    """The built-in processes are there from the first start on. One that was published by an earlier release stays as
    it is, and so does a company's own process that has the key of one."""
    for process_id, definition in ((SHORT_ID, SHORT), (FULL_ID, FULL)):
        command = PublishProcess(definition=definition)
        try:
            await commands.execute(CommandRequest(process, process_id, command, service_actor("deals")))
        except Rejected as refusal:
            if refusal.code not in ("not-in-this-state", "already-taken"):
                raise
            log.info("process-left-alone", process=definition.key, code=refusal.code)
