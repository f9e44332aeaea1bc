"""What the forecast service consists of."""

from pathlib import Path

from services.forecast import api
from services.forecast.accounts import routes as accounts
from services.forecast.accounts.model import PROJECTION as ACCOUNTS
from services.forecast.attainment.routes import attained, proposals, quotas
from services.forecast.cash.model import PROJECTION as CASH
from services.forecast.conformance import routes as conformance
from services.forecast.conformance.model import PROJECTION as CONFORMANCE
from services.forecast.content import routes as content
from services.forecast.content.model import PROJECTION as CONTENT_USE
from services.forecast.decisions import routes as decisions
from services.forecast.decisions.model import PROJECTION as DECISIONS
from services.forecast.domain.address import ConfirmationCode, notice_address
from services.forecast.domain.endpoint import webhook_endpoint
from services.forecast.domain.measure import measure
from services.forecast.domain.notice import notice
from services.forecast.domain.occasion import Audience, ToldNotices, WaitingNotices, occasion
from services.forecast.domain.preference import notice_preference
from services.forecast.domain.review import Review, review
from services.forecast.effects import routes as effects
from services.forecast.execution.model import PROJECTION as EXECUTION
from services.forecast.feed import queries
from services.forecast.feed import routes as feed
from services.forecast.feed.model import PROJECTION as FEED
from services.forecast.health import routes as health
from services.forecast.health.queries import report_by
from services.forecast.health.rules import HEALTH_LIMITS
from services.forecast.leads.model import PROJECTION as LEADS
from services.forecast.outside import OUTSIDE
from services.forecast.people import routes as people
from services.forecast.pipeline.dangers import DANGERS
from services.forecast.pipeline.model import PROJECTION as PIPELINE
from services.forecast.pipeline.routes import changes, endangered, funnel, histories, outlook
from services.forecast.processes.model import PROJECTION as PROCESSES
from services.forecast.projections.lookups import audience, confirmation_code, told_notices, waiting_notices
from services.forecast.projections.measures import MEASURE_PROJECTION, MEASURES
from services.forecast.projections.muted_kinds import MUTED_KINDS, PREFERENCE_PROJECTION
from services.forecast.projections.notices import NOTICE_PROJECTION, NOTICES
from services.forecast.projections.reviews import REVIEW_PROJECTION, REVIEWS
from services.forecast.projections.webhook_endpoints import ENDPOINT_PROJECTION, WEBHOOK_ENDPOINTS
from services.forecast.rates.model import PROJECTION as RATES
from services.forecast.reactions import reactions
from services.forecast.resources import RESOURCES
from services.forecast.seeds import open_report_of_running_month
from services.forecast.targets.model import PROJECTION as TARGETS
from services.forecast.visits.model import PROJECTION as VISITS
from shared.commands.references import OnStream
from shared.directory.accounts import KNOWN_ACCOUNTS
from shared.directory.organisation import organisation
from shared.directory.references import PEOPLE
from shared.domain.policy import policies
from shared.events.forecast.policy import ForecastPolicySet
from shared.events.forecast.review import HealthReport
from shared.eventstore.batching import PROMPT
from shared.service.definition import FeedSource, Service

POLICIES = policies("forecast", ForecastPolicySet, HEALTH_LIMITS, DANGERS)

SERVICE = Service(
    "forecast",
    description="Funnel, forecast, health of the sales process and what changed, now and at any past instant; "
    "and what waits for whom.",
    tags={
        "funnel": "The open pipeline by stage, and what was closed.",
        "forecast": "What a period will bring against its target, and the deals that endanger it.",
        "target-attainment": "What is reached of what was wanted, what it takes, and what could be wanted next.",
        "pipeline-changes": "Why the open pipeline is another than it was, in legs that add up.",
        "forecast-policies": "The rules with numbers by which figures are judged, in versions.",
        "health-metrics": "How well the sales process runs.",
        "process-conformance": "How processes are followed: gates, waivers, skips, returns, wins, due work, exits.",
        "content-use": "What content was used for on deals, and how many of these were won later.",
        "deal-histories": "What happened to a deal, by whom, before and after.",
        "account-timelines": "What happened with an account: its leads, deals, contracts, invoices and receipts.",
        "decisions": "What waits for the decision of whoever asks, over everything that is approved.",
        "live": "The newest events, as a list and as they happen.",
        "effects": "What a command led to in all services.",
        "notices": "What waits for whoever asks: overdue invoices, contracts to be approved, and what came of it.",
        "muted-kinds": "Which kinds of notices whoever asks has muted.",
        "notice-preferences": "What a member has muted.",
        "notice-addresses": "Where notices are sent to a member, beside the inbox.",
        "webhook-endpoints": "Whom outside notices are sent to, signed.",
        "occasions": "Why notices were raised, and whether that has passed.",
        "reviews": "The health of periods, sealed, and talks about them that fall due.",
        "measures": "What is done so that figures get better, and what came of it.",
        "people": "Who is signed in, and from when to when there are facts.",
    },
    aggregates=(occasion, notice, notice_preference, notice_address, webhook_endpoint, review, measure),
    policies=POLICIES,
    resources=RESOURCES,
    reactions=reactions,
    projections=(
        organisation("journal"),
        PROCESSES,
        TARGETS,
        VISITS,
        RATES,
        PIPELINE,
        LEADS,
        EXECUTION,
        CONFORMANCE,
        CONTENT_USE,
        CASH,
        FEED,
        ACCOUNTS,
        DECISIONS,
        NOTICE_PROJECTION,
        PREFERENCE_PROJECTION,
        ENDPOINT_PROJECTION,
        REVIEW_PROJECTION,
        MEASURE_PROJECTION,
        KNOWN_ACCOUNTS,
    ),
    listings=(NOTICES, MUTED_KINDS, WEBHOOK_ENDPOINTS, REVIEWS, MEASURES),
    seeds=(open_report_of_running_month,),
    outside=OUTSIDE,
    routes=(
        funnel.router,
        outlook.router,
        endangered.router,
        changes.router,
        health.router,
        health.sealed_router,
        attained.router,
        quotas.router,
        proposals.router,
        conformance.router,
        content.router,
        histories.router,
        accounts.router,
        decisions.router,
        feed.router,
        effects.router,
        people.router,
        api.router,
    ),
    knows=(*PEOPLE, OnStream(review, Review)),
    provides={
        Audience: audience,
        WaitingNotices: waiting_notices,
        ToldNotices: told_notices,
        ConfirmationCode: confirmation_code,
        HealthReport: report_by(POLICIES),
    },
    reads=None,
    feed=FeedSource(reads=queries.READS, read=queries.read, head=queries.head),
    pace=PROMPT,
    pages=Path(__file__).parent / "dashboard",
)
