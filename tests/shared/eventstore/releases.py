"""A newer release of the schema, made up: what the real one has, and an expansion of every table."""

import shutil
from pathlib import Path

from shared.eventstore.migrate import FOLDER, migrations

NEWEST = migrations()[-1].number
EXPANDED = f"""\
-- Everything that may stand in an expanding migration, on every table that there is.
-- compatible-with: {NEWEST:04}

create table made_up (id uuid primary key);
create function made_up() returns integer language sql as 'select 1';
do $$
declare
    "table" regclass;
begin
    for "table" in select oid from pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace loop
        execute format('alter table %s add made_up text, add made_up_too integer not null default 7', "table");
    end loop;
end
$$;
create index event_made_up on event (made_up) where made_up is not null;
"""


def release(folder: Path) -> Path:
    """Write the migrations of the newer release into an empty folder; gives the folder."""
    for file in FOLDER.glob("*.sql"):
        shutil.copy(file, folder)
    (folder / f"{NEWEST + 1:04}_expanded.sql").write_text(EXPANDED)
    return folder
