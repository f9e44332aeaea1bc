"""The roles of people, as tokens and events name them (API-4)."""

from enum import StrEnum


class Role(StrEnum):
    """What a person does in the company, as carried by the bearer token."""

    REP = "rep"
    MANAGER = "manager"
    SALES_DIRECTOR = "sales-director"
    EXECUTIVE = "executive"
    SALES_OPERATIONS = "sales-operations"
    MARKETING = "marketing"
    PRODUCT = "product"
    PRESALES = "presales"
    DELIVERY = "delivery"
    CUSTOMER_SERVICE = "customer-service"
    LEGAL = "legal"
    FINANCE = "finance"
    ADMIN = "admin"
    SERVICE = "service"
