"""What the deals service consists of."""

from services.deals import (
    agenda_api,
    api,
    board_api,
    calendar_link_api,
    content_api,
    deal_page_api,
    hand_over_api,
    help_api,
    migration_api,
    opening_trial_api,
    price_list_api,
    qualification_api,
    quote_print_api,
    search_api,
    support_delay_api,
    target_split_api,
)
from services.deals.domain.approvals import APPROVALS
from services.deals.domain.calendar_link import calendar_link
from services.deals.domain.choice import ChosenProcess
from services.deals.domain.content_item import ContentItem, content_item
from services.deals.domain.deal import deal
from services.deals.domain.deal.approval import AllApprovals, PendingApprovals
from services.deals.domain.deal.changes import ChangeCloseDate, HandOver, OverrideCategory, SetCategory, UpdateDeal
from services.deals.domain.deal.closing import AbandonDeal, ContractOfDeal, LoseDeal
from services.deals.domain.deal.contacts import KnownContacts
from services.deals.domain.deal.content import NamedContent
from services.deals.domain.deal.corrections import Tellings
from services.deals.domain.deal.history import DealToday
from services.deals.domain.deal.migration import TargetProcess
from services.deals.domain.deal.stages import MoveDeal
from services.deals.domain.deal.state import Deal
from services.deals.domain.deal.work import PlanNextStep
from services.deals.domain.exchange_rate import Conversion, exchange_rate
from services.deals.domain.policies import POLICIES
from services.deals.domain.process import process
from services.deals.domain.process.piloting import PilotCrew
from services.deals.domain.process.state import FollowedProcess, Process
from services.deals.domain.process_migration import process_migration
from services.deals.domain.process_migration.planning import MigrationEnds
from services.deals.domain.process_migration.running import MigrationStep
from services.deals.domain.process_remark import NotedProcessRemark, RemarkedDeal, process_remark
from services.deals.domain.process_suggestion import NamedRemark, process_suggestion
from services.deals.domain.product import Catalogue, ListedProduct, product
from services.deals.domain.product_cost import KnownCost, product_cost
from services.deals.domain.quote import quote
from services.deals.domain.quote.following import QuotesOfDeal
from services.deals.domain.quote.state import QuotedDeal
from services.deals.domain.remarked_process import RemarkedProcess
from services.deals.domain.saved_view import CheckedView, saved_view
from services.deals.domain.stage_visit import stage_visit
from services.deals.domain.stage_visit.following import VisitsOfDeal
from services.deals.domain.stage_visit.state import OutsideProcess
from services.deals.domain.support_request import support_request
from services.deals.domain.support_request.asking import SupportedDeal
from services.deals.domain.support_request.following import SupportOfDeal
from services.deals.domain.target import PlaceInSplits, Seat, target
from services.deals.projections.agenda import AGENDA_PROJECTION
from services.deals.projections.choosing import chosen_process, outside_process
from services.deals.projections.content_items import CONTENT_ITEM_PROJECTION, CONTENT_ITEMS
from services.deals.projections.contracts import KNOWN_CONTRACTS
from services.deals.projections.deals import DEAL_PROJECTION, DEALS
from services.deals.projections.exchange_rates import EXCHANGE_RATE_PROJECTION, EXCHANGE_RATES
from services.deals.projections.lookups import (
    all_approvals,
    approvers_of_chain,
    catalogue,
    contract_of_deal,
    conversion,
    deal_today,
    known_contacts,
    known_cost,
    named_content,
    named_remark,
    pending_approvals,
    pilot_crew,
    pinned_process,
    quoted_deal,
    quotes_of_deal,
    remarked_deal,
    remarked_process,
    seat,
    support_of_deal,
    supported_deal,
    tellings,
    visits_of_deal,
)
from services.deals.projections.migrating import migration_ends, migration_step, target_process
from services.deals.projections.process_migrations import (
    MIGRATED_DEAL_PROJECTION,
    MIGRATED_DEALS,
    PROCESS_MIGRATION_PROJECTION,
    PROCESS_MIGRATIONS,
)
from services.deals.projections.process_remarks import PROCESS_REMARK_PROJECTION, PROCESS_REMARKS
from services.deals.projections.process_suggestions import PROCESS_SUGGESTION_PROJECTION, PROCESS_SUGGESTIONS
from services.deals.projections.processes import PROCESS_PROJECTION, PROCESSES
from services.deals.projections.product_costs import PRODUCT_COST_PROJECTION, PRODUCT_COSTS
from services.deals.projections.products import PRODUCT_PROJECTION, PRODUCTS
from services.deals.projections.quotes import QUOTE_PROJECTION, QUOTES
from services.deals.projections.saved_views import SAVED_VIEW_PROJECTION, SAVED_VIEWS
from services.deals.projections.stage_visits import STAGE_VISIT_PROJECTION, STAGE_VISITS, STAGE_WORK_PROJECTION
from services.deals.projections.support_requests import SUPPORT_REQUEST_PROJECTION, SUPPORT_REQUESTS
from services.deals.projections.target_splits import place_in_splits
from services.deals.projections.targets import TARGET_PROJECTION, TARGETS
from services.deals.projections.viewing import checked_view
from services.deals.reactions import reactions
from services.deals.resources import RESOURCES
from services.deals.seeds import publish_processes
from shared.commands.references import OnStream
from shared.directory.accounts import KNOWN_ACCOUNTS
from shared.directory.hours import KNOWN_HOURS, hours_in_force
from shared.directory.references import ACCOUNTS, CONTACTS, PEOPLE
from shared.domain.approval.chain import Approvers
from shared.domain.policy import InForce
from shared.events.working_hours import WorkingHours
from shared.service.definition import Service

SERVICE = Service(
    "deals",
    description="Sales processes, products, targets, exchange rates, and deals from their opening to their outcome.",
    tags={
        "board": "The open deals of a process by stage, for a page.",
        "agenda": "What waits for a rep: what is late, what is due, and what to do first.",
        "calendar-links": "The address of one's own calendar, which holds a secret.",
        "deal-search": "Deals and quotes by words, also with slips of the pen.",
        "content-items": "Solutions, cases, scripts and templates that are kept elsewhere, in versions.",
        "deals": "Sales on their way, from their opening to their outcome.",
        "deal-approvals": "What waits for decisions about deals, and what they were.",
        "hand-over-plan": "Who takes over the deals of somebody who leaves.",
        "processes": "What deals follow: stages, their work and their gates, in versions.",
        "process-migrations": "How open deals go over to another version of what they follow.",
        "migrated-deals": "What became of each deal of these migrations.",
        "process-remarks": "What staff and customers say of the steps of processes.",
        "process-suggestions": "How processes could be better, and which version adopted that.",
        "quotes": "What customers are offered on deals, in versions, until one is accepted.",
        "saved-views": "Lists and boards that somebody keeps, and with whom they are shared.",
        "support-requests": "Help that a sale asks of other departments, and by when it is due.",
        "stage-visits": "Leads and contracts in stages of their process, and what is due there.",
        "support-delay": "What departments hold up, and for how long.",
        "products": "What can be put on deals, and at what list prices.",
        "price-list": "The prices of products in a currency on a day, and all of them as a file.",
        "product-costs": "The unit costs of products, for those who may know.",
        "targets": "What the company, a team or a rep is to reach in a period.",
        "target-split": "Whether the parts of a target come to as much as it.",
        "working-days": "The days on which people of the company work.",
        "deal-policies": "The rules with numbers that deals are decided by, in versions.",
        "exchange-rates": "What one unit of a currency was worth in others on a day.",
    },
    aggregates=(
        process,
        product,
        product_cost,
        target,
        exchange_rate,
        deal,
        process_migration,
        support_request,
        quote,
        process_remark,
        process_suggestion,
        calendar_link,
        stage_visit,
        saved_view,
        content_item,
    ),
    approvals=APPROVALS,
    policies=POLICIES,
    bulk=(
        HandOver,
        MoveDeal,
        ChangeCloseDate,
        PlanNextStep,
        SetCategory,
        OverrideCategory,
        UpdateDeal,
        LoseDeal,
        AbandonDeal,
    ),
    resources=RESOURCES,
    reactions=reactions,
    projections=(
        DEAL_PROJECTION,
        AGENDA_PROJECTION,
        PRODUCT_PROJECTION,
        PRODUCT_COST_PROJECTION,
        TARGET_PROJECTION,
        EXCHANGE_RATE_PROJECTION,
        PROCESS_PROJECTION,
        PROCESS_MIGRATION_PROJECTION,
        MIGRATED_DEAL_PROJECTION,
        SUPPORT_REQUEST_PROJECTION,
        QUOTE_PROJECTION,
        PROCESS_REMARK_PROJECTION,
        PROCESS_SUGGESTION_PROJECTION,
        STAGE_VISIT_PROJECTION,
        STAGE_WORK_PROJECTION,
        SAVED_VIEW_PROJECTION,
        CONTENT_ITEM_PROJECTION,
        KNOWN_ACCOUNTS,
        KNOWN_CONTRACTS,
        KNOWN_HOURS,
    ),
    listings=(
        DEALS,
        PRODUCTS,
        PRODUCT_COSTS,
        TARGETS,
        EXCHANGE_RATES,
        PROCESSES,
        PROCESS_MIGRATIONS,
        MIGRATED_DEALS,
        SUPPORT_REQUESTS,
        QUOTES,
        PROCESS_REMARKS,
        PROCESS_SUGGESTIONS,
        STAGE_VISITS,
        SAVED_VIEWS,
        CONTENT_ITEMS,
    ),
    routes=(
        api.router,
        agenda_api.router,
        board_api.router,
        calendar_link_api.router,
        calendar_link_api.by_link,
        content_api.router,
        deal_page_api.router,
        hand_over_api.router,
        help_api.router,
        qualification_api.router,
        quote_print_api.router,
        search_api.router,
        migration_api.router,
        opening_trial_api.router,
        price_list_api.router,
        support_delay_api.router,
        target_split_api.router,
    ),
    knows=(
        *PEOPLE,
        ACCOUNTS,
        CONTACTS,
        OnStream(product, ListedProduct),
        OnStream(content_item, ContentItem),
        OnStream(process, FollowedProcess),
        OnStream(deal, Deal),
        OnStream(process_remark, NotedProcessRemark),
    ),
    provides={
        Process: pinned_process,
        PilotCrew: pilot_crew,
        TargetProcess: target_process,
        MigrationEnds: migration_ends,
        MigrationStep: migration_step,
        ChosenProcess: chosen_process,
        Catalogue: catalogue,
        KnownCost: known_cost,
        Conversion: conversion,
        Seat: seat,
        PlaceInSplits: place_in_splits,
        KnownContacts: known_contacts,
        ContractOfDeal: contract_of_deal,
        QuotedDeal: quoted_deal,
        QuotesOfDeal: quotes_of_deal,
        Approvers: approvers_of_chain,
        PendingApprovals: pending_approvals,
        AllApprovals: all_approvals,
        DealToday: deal_today,
        Tellings: tellings,
        NamedContent: named_content,
        SupportedDeal: supported_deal,
        SupportOfDeal: support_of_deal,
        VisitsOfDeal: visits_of_deal,
        RemarkedProcess: remarked_process,
        RemarkedDeal: remarked_deal,
        NamedRemark: named_remark,
        OutsideProcess: outside_process,
        CheckedView: checked_view,
        InForce[WorkingHours]: hours_in_force,
    },
    seeds=(publish_processes,),
)
