"""The OpenAPI document of a service and of all services, and the pages that show it."""
