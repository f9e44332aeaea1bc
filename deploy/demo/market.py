"""The market that the demo company sells to: invented customers, their people, and what they buy.

Company names are put together from stems that name nothing; their addresses end in `.example`, which leads nowhere.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count
from random import Random
from typing import Any

Line = dict[str, Any]


def words(text: str) -> tuple[str, ...]:
    """The words of a text."""
    return tuple(text.split())


STEMS = words(
    """
    Alderbray Bexholm Caldriv Dornvik Elmstad Farnelle Gravenor Hollmere Istrava Juneborg Kestrona Lindmora Marovane
    Norvalla Ostrelle Pellivar Quarrowby Rivenhold Solbrenn Tavarsk Ulmgarde Varnholt Westerlyng Yarrowen Zelmora
    Ambrava Brenwyk Corvenna Dellmara Esterund Fenwold Galtrane Hestervik Ilverton Jastrow Kolmere Lorvane Mistrava
    Nellborg Orrendale Pirvane Rostella Skarnholt Thornvale Urvesta Velmark Wyndrane Xanthova Ystrale Zorvik
    """
)
TRADES = {
    "Foods": "food",
    "Dairies": "food",
    "Breweries": "beverages",
    "Packaging": "packaging",
    "Paper": "packaging",
    "Logistics": "logistics",
    "Pharma": "pharmaceuticals",
    "Chemicals": "chemicals",
    "Plastics": "plastics",
    "Metals": "metalworking",
    "Ceramics": "building-materials",
    "Furniture": "furniture",
    "Textiles": "textiles",
    "Electronics": "electronics",
    "Glass": "glass",
    "Cosmetics": "cosmetics",
    "Components": "automotive",
}
"""What a company's name ends with → its industry."""

CALLING_CODES = {"DE": "4930", "FR": "3314", "IT": "3906", "ES": "3491", "PL": "4822", "NL": "3120", "SE": "468"}
"""Countries, and how their numbers begin."""

FIRST_NAMES = words(
    """
    Ada Bartosz Chiara Dmitri Esra Farid Greta Hiroshi Ines Jakub Katarina Lars Mariam Nils Olga Paolo Quentin Rosa
    Sanjay Tanja Umut Vera Wanjiru Xiang Yara Zoltan Aisha Bruno Carmen Diego Emeka Fatima Goran Hanna Ivan Joana Khalid
    Lucia Marek Nadia Oskar Petra Rashid Selma Thabo Ursula Viktor Wiebke Yusuf Zuzana
    """
)
LAST_NAMES = words(
    """
    Abramczyk Bellandi Castellvi Demirtas Eklundh Fiorelli Gebremariam Hashimoto Iwobira Jankovska Kaltenbrun Laskaridis
    Moravcik Nakashima Oyelaran Pettersvik Quintanero Rosenkvist Sandovalle Teixeiro Ulvestad Vandermeule Wasikowa
    Yamanouchi Zielenski Achterhof Bogdanova Chukwura Dragomirov Espinazo Fernandel Guptara Hoekstrand Ibarrola
    Joubertin Kovaleva Lindholmer Mbatha Novotnak Ostrander
    """
)
TITLES = (
    "Head of production",
    "Plant manager",
    "Head of purchasing",
    "Managing director",
    "Head of engineering",
    "Operations manager",
    "Technical director",
)
BUYING_ROLES = ("economic-buyer", "champion", "influencer", "user")


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A machine or service with its list price in whole units of the company's currency."""

    code: str
    name: str
    family: str
    price: int


PRODUCTS = (
    Product(code="PAL-200", name="Palletiser 200", family="Palletising", price=185_000),
    Product(code="PAL-400", name="Palletiser 400", family="Palletising", price=340_000),
    Product(code="CEL-30", name="Robot cell 30", family="Robotics", price=420_000),
    Product(code="CEL-60", name="Robot cell 60", family="Robotics", price=690_000),
    Product(code="CON-10", name="Conveyor system", family="Material flow", price=120_000),
    Product(code="STO-50", name="Automatic store 50", family="Material flow", price=560_000),
    Product(code="VIS-5", name="Vision inspection", family="Quality", price=78_000),
    Product(code="RET-1", name="Control retrofit", family="Services", price=64_000),
    Product(code="SRV-3", name="Service agreement", family="Services", price=48_000),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A company that buys or might buy."""

    key: str
    name: str
    domain: str
    industry: str
    country: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Somebody who works for a customer."""

    name: str
    email: str
    phone: str
    title: str


class Market:
    """Hands out companies and people, none of them twice.

    `regions` follow the names, so that one market knows no company of another.
    """

    def __init__(self, random: Random, regions: Sequence[str] = ("",)) -> None:
        self._random = random
        self._names = _names(random, regions)
        self._emails: set[str] = set()
        self._phones: set[str] = set()

    def customer(self) -> Customer:
        name = next(self._names)
        key = name.lower().replace(" ", "-")
        return Customer(
            key=key,
            name=name,
            domain=f"{key}.example",
            industry=TRADES[name.split()[1]],
            country=self._random.choice(tuple(CALLING_CODES)),
            size=int(min(9000, max(20, self._random.lognormvariate(5.6, 0.9)))),
        )

    def contact(self, customer: Customer) -> Contact:
        random = self._random
        while True:
            first, last = random.choice(FIRST_NAMES), random.choice(LAST_NAMES)
            email = f"{first}.{last}@{customer.domain}".lower()
            if email not in self._emails:
                break
        self._emails.add(email)
        while True:
            phone = f"+{CALLING_CODES[customer.country]}{random.randrange(5_000_000, 9_999_999)}"
            if phone not in self._phones:
                break
        self._phones.add(phone)
        return Contact(name=f"{first} {last}", email=email, phone=phone, title=random.choice(TITLES))


def _names(random: Random, regions: Sequence[str]) -> Iterator[str]:
    """Names without end: when all were given, they are given again with a number."""
    names = [f"{stem} {trade} {region}".strip() for stem in STEMS for trade in TRADES for region in regions]
    random.shuffle(names)
    yield from names
    for number in count(2):
        yield from (f"{name} {number}" for name in names)


def price_list(since: date, currency: str) -> Iterator[Line]:
    """The facts of the products, sold since the first day."""
    for product in PRODUCTS:
        yield {
            "fact": "product",
            "id": product.code,
            "on": since.isoformat(),
            "code": product.code,
            "name": product.name,
            "family": product.family,
            "list_price": money(product.price, currency),
        }


def money(amount: float, currency: str) -> dict[str, str]:
    """An amount as the import format writes it."""
    return {"amount": f"{amount:.2f}", "currency": currency}
