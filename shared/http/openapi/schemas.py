"""The schemas of a document: collected from data classes, and referred to by their names."""

from shared.http.openapi.examples import PREFIX
from shared.http.openapi.parts import OWN_SCHEMAS, Document


class Schemas:
    """Collects the schemas of data classes, and gives references to them."""

    def __init__(self) -> None:
        self.found: Document = dict(OWN_SCHEMAS)
        self.spelled_out: set[str] = set(OWN_SCHEMAS)
        """Those that are written here, and say themselves what is required."""

    def adopt(self, schema: Document) -> Document:
        """Keep a schema and its parts under components; gives the reference to it."""
        schema = dict(schema)
        parts: Document = schema.pop("$defs", {})
        for name, part in parts.items():
            self._keep(name, part)
        if schema.get("type") == "object" and "title" in schema:
            self._keep(schema["title"], schema)
            return {"$ref": f"{PREFIX}{schema['title']}"}
        return schema

    def name(self, name: str, schema: Document) -> Document:
        """Keep a schema that is written here under a name; gives the reference to it."""
        self.spelled_out.add(name)
        self._keep(name, {"title": name, **schema})
        return {"$ref": f"{PREFIX}{name}"}

    def _keep(self, name: str, schema: Document) -> None:
        if self.found.setdefault(name, schema) != schema:
            raise ValueError(f"two different schemas are called {name}")
