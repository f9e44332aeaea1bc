"""Tallies: tables of sums by a key, to which signed changes are posted."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """A table of sums. `key` and `values` are its columns with their types, separated by commas; none is ever null."""

    table: str = ""
    key: str
    values: str

    @property
    def ddl(self) -> str:
        """The statement that makes the table."""
        columns = ", ".join(f"{column.strip()} not null" for column in f"{self.key}, {self.values}".split(","))
        return f"create table {{view}}.{self.table} ({columns}, primary key ({', '.join(names(self.key))}));"

    def post(self, shape: "Tally") -> str:
        """The statement that adds changes, given as a JSON array of rows of another tally (or this)."""
        key, values = ", ".join(names(self.key)), names(self.values)
        sums = ", ".join(f"sum({value})" for value in values)
        added = ", ".join(f"{value} = known.{value} + excluded.{value}" for value in values)
        return (
            f"insert into {{view}}.{self.table} as known ({key}, {', '.join(values)})"  # noqa: S608 - our own names
            f" select {key}, {sums} from {_given(shape)} group by {key}"
            f" on conflict ({key}) do update set {added}"
        )

    def clear(self, shape: "Tally") -> str:
        """The statement that removes what came to nothing by these changes."""
        key = names(self.key)
        mine, theirs = (", ".join(f"{table}.{column}" for column in key) for table in ("known", "change"))
        nothing = " and ".join(f"known.{value} = 0" for value in names(self.values))
        return (
            f"delete from {{view}}.{self.table} known"  # noqa: S608 - our own names
            f" using (select distinct {', '.join(key)} from {_given(shape)}) change"
            f" where ({mine}) = ({theirs}) and {nothing}"
        )


def names(columns: str) -> list[str]:
    """The names out of columns with their types."""
    return [column.split()[0] for column in columns.split(",")]


def _given(shape: Tally) -> str:
    return f"json_populate_recordset(null::{{view}}.{shape.table}, $1) given"
