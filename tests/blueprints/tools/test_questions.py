"""Questions as people ask them in five languages: the tool that is picked, and what it is given."""

import contextlib
import time
from dataclasses import replace
from typing import Any

import pytest

from alma.errors import BadRequest
from blueprints.tools.choosing import choose
from tests.factories.accounts import make_actor, make_environment, make_organization
from tests.factories.vms import make_cluster, make_guest
from vms.machines import public_id

pytestmark = pytest.mark.django_db

ASKED: list[tuple[str, str, dict[str, Any]]] = [
    # English
    ("How many cores would I need for 12,500 users at the same time?", "estimate_resources", {"peak_users": 12_500}),
    (
        "What hardware does an API with 300 requests per second need?",
        "estimate_resources",
        {"requests_per_second": 300},
    ),
    (
        "Our shop expects 2.5k visitors on Black Friday, size it for high traffic",
        "estimate_resources",
        {"peak_users": 2_500, "usage_pattern": "high_traffic"},
    ),
    ("Is blueprint 7 valid?", "validate_blueprint", {"blueprint_id": 7}),
    ("What is too expensive in blueprint #12 and how do I make it cheaper?", "optimize_costs", {"blueprint_id": 12}),
    (
        "What's the difference between blueprint 3 and blueprint 4?",
        "compare_blueprints",
        {"blueprint_id": 3, "other_blueprint_id": 4},
    ),
    ("compare blueprints 8 vs 9", "compare_blueprints", {"blueprint_id": 8, "other_blueprint_id": 9}),
    ("Are there any security holes in blueprint 5?", "security_audit", {"blueprint_id": 5}),
    ("Do we meet SOC 2 with vm-104?", "check_compliance", {"framework": "soc2", "vm_ids": ["vm-104"]}),
    ("What would happen if I deployed blueprint 6 to staging?", "generate_deployment_plan", {"blueprint_id": 6}),
    ("vm-101 is terribly slow since this morning", "troubleshoot_issue", {"vm_ids": ["vm-101"]}),
    *(
        (words, "troubleshoot_issue", {})
        for words in (
            "legacy-erp does not answer",
            "legacy-erp hangs",
            "I cannot reach gitlab",
            "gitlab returns 502",
            "metrics is offline",
            "what happened to metrics last night?",
            "gitlab startet nicht",
            "gitlab ne démarre pas",
            "gitlab no arranca",
            "gitlab non si avvia",
            "my server won't start",
            "requests to the shop time out: it is frozen",
        )
    ),
    ("Why did job_01HXYZ fail?", "troubleshoot_issue", {"job_ids": ["job_01HXYZ"]}),
    ("Which architecture do you recommend for a chat with 5000 users?", "suggest_architecture", {"peak_users": 5_000}),
    (
        "How many more machines with 4 cores and 16 GB fit on the cluster?",
        "calculate_capacity",
        {"cpu": 4, "memory": "16GB"},
    ),
    ("Do we still have room for ten VMs?", "calculate_capacity", {}),
    ("When will our disks be full?", "forecast_metrics", {"metric": "storage"}),
    (
        "Predict the memory usage of vm-200 for the next 3 weeks",
        "forecast_metrics",
        {"metric": "memory", "days": 21, "vm_id": "vm-200"},
    ),
    ("We want to leave VMware, plan the migration", "migrate_infrastructure", {}),
    ("Draft a blueprint with three web servers and a database", "create_blueprint", {}),
    # German
    ("Wie viele Kerne brauche ich für 10.000 gleichzeitige Benutzer?", "estimate_resources", {"peak_users": 10_000}),
    ("Prüfe bitte, ob Blueprint 3 gültig ist", "validate_blueprint", {"blueprint_id": 3}),
    ("Wie können wir bei Blueprint 4 Geld sparen?", "optimize_costs", {"blueprint_id": 4}),
    ("Warum ist vm-110 nicht erreichbar?", "troubleshoot_issue", {"vm_ids": ["vm-110"]}),
    ("Wie viel Platz ist noch auf dem Cluster?", "calculate_capacity", {}),
    ("Vergleiche Blueprint 1 mit Blueprint 2", "compare_blueprints", {"blueprint_id": 1, "other_blueprint_id": 2}),
    ("Welche Sicherheitslücken hat vm-120?", "security_audit", {"vm_ids": ["vm-120"]}),
    ("Wann ist der Speicherplatz voll? Vorhersage für 2 Monate", "forecast_metrics", {"metric": "storage", "days": 60}),
    # French
    ("De combien de cœurs ai-je besoin pour 10 000 utilisateurs ?", "estimate_resources", {"peak_users": 10_000}),
    ("Comment réduire les coûts du blueprint 5 ?", "optimize_costs", {"blueprint_id": 5}),
    ("Pourquoi vm-130 est-elle si lente ?", "troubleshoot_issue", {"vm_ids": ["vm-130"]}),
    ("Quelle architecture me conseilles-tu pour un site de commerce ?", "suggest_architecture", {}),
    ("Compare le blueprint 3 et le blueprint 8", "compare_blueprints", {"blueprint_id": 3, "other_blueprint_id": 8}),
    (
        "Quand la mémoire sera-t-elle saturée ? Prévision sur 30 jours",
        "forecast_metrics",
        {"metric": "memory", "days": 30},
    ),
    # Spanish
    ("¿Cuántos recursos necesito para 2.500 usuarios?", "estimate_resources", {"peak_users": 2_500}),
    ("¿Es válido el blueprint 9?", "validate_blueprint", {"blueprint_id": 9}),
    ("¿Por qué falla vm-140?", "troubleshoot_issue", {"vm_ids": ["vm-140"]}),
    ("¿Cuántas máquinas más caben en el clúster?", "calculate_capacity", {}),
    ("Muéstrame el plan de despliegue del blueprint 2", "generate_deployment_plan", {"blueprint_id": 2}),
    ("¿Cumplimos con CIS en vm-141?", "check_compliance", {"framework": "cis", "vm_ids": ["vm-141"]}),
    # Italian
    ("Quante risorse servono per 1.500 utenti?", "estimate_resources", {"peak_users": 1_500}),
    ("Come posso ridurre i costi del blueprint 6?", "optimize_costs", {"blueprint_id": 6}),
    ("Perché vm-150 non risponde?", "troubleshoot_issue", {"vm_ids": ["vm-150"]}),
    (
        "Che differenza c'è tra il blueprint 2 e il blueprint 5?",
        "compare_blueprints",
        {"blueprint_id": 2, "other_blueprint_id": 5},
    ),
    ("Vogliamo migrare da VMware al nuovo cluster", "migrate_infrastructure", {}),
    ("Quali problemi di sicurezza ha il blueprint 3?", "security_audit", {"blueprint_id": 3}),
    # of all, written after the first were met; 29 of the next 40 and 21 of the last 25 were at the first try
    (
        "We have 800 employees logging in every morning. What servers does that take?",
        "estimate_resources",
        {"peak_users": 800},
    ),
    ("Can my YAML be deployed as it is? Validate blueprint 31", "validate_blueprint", {"blueprint_id": 31}),
    ("our bill is insane, where can blueprint 44 be trimmed", "optimize_costs", {"blueprint_id": 44}),
    (
        "show me what changed between blueprint 10 and 11",
        "compare_blueprints",
        {"blueprint_id": 10, "other_blueprint_id": 11},
    ),
    ("vm-301 and vm-302 keep crashing", "troubleshoot_issue", {"vm_ids": ["vm-301", "vm-302"]}),
    ("give me a rollout plan for blueprint 2", "generate_deployment_plan", {"blueprint_id": 2}),
    (
        "what's the best design for a highly available wordpress under 200 EUR a month?",
        "suggest_architecture",
        {"max_cost": 200.0},
    ),
    ("are we running out of RAM?", "forecast_metrics", {"metric": "memory"}),
    ("could we still fit 20 containers with 2 GB each?", "calculate_capacity", {"memory": "2GB"}),
    ("audit vm-55 please", "security_audit", {"vm_ids": ["vm-55"]}),
    ("are we CIS compliant?", "check_compliance", {"framework": "cis"}),
    ("6000 requests per minute against our API, what do we need", "estimate_resources", {"requests_per_second": 100.0}),
    (
        "How will the network traffic of the cluster look in 2 weeks?",
        "forecast_metrics",
        {"metric": "network", "days": 14},
    ),
    ("two web servers and a load balancer", "create_blueprint", {}),
    ("Was kostet mich Blueprint 8 zu viel?", "optimize_costs", {"blueprint_id": 8}),
    ("Wir erwarten 3.000 Besucher, welche Server brauchen wir?", "estimate_resources", {"peak_users": 3000}),
    ("Unterschied zwischen Blueprint 14 und 15?", "compare_blueprints", {"blueprint_id": 14, "other_blueprint_id": 15}),
    ("Wieso ist das Deployment deploy-abc fehlgeschlagen?", "troubleshoot_issue", {"job_ids": ["deploy-abc"]}),
    ("Passt noch eine VM mit 32 GB RAM auf unsere Server?", "calculate_capacity", {"memory": "32GB"}),
    ("Zieh alles von VMware auf den neuen Cluster um", "migrate_infrastructure", {}),
    ("Sind wir konform mit SOC 2?", "check_compliance", {"framework": "soc2"}),
    ("Erstelle mir einen Mailserver mit 8 GB", "create_blueprint", {}),
    ("Est-ce que le blueprint 12 est correct ?", "validate_blueprint", {"blueprint_id": 12}),
    ("La machine vm-77 ne répond plus", "troubleshoot_issue", {"vm_ids": ["vm-77"]}),
    ("Combien de machines peut-on encore mettre sur le cluster ?", "calculate_capacity", {}),
    ("Il nous faut tenir 50 requêtes par seconde", "estimate_resources", {"requests_per_second": 50.0}),
    ("Fais un audit de sécurité du blueprint 9", "security_audit", {"blueprint_id": 9}),
    ("Quel est le plan de déploiement pour le blueprint 4 ?", "generate_deployment_plan", {"blueprint_id": 4}),
    (
        "Recomiéndame una arquitectura para una tienda con 20 mil clientes",
        "suggest_architecture",
        {"peak_users": 20_000},
    ),
    ("¿Cuándo se llenará el disco?", "forecast_metrics", {"metric": "storage"}),
    ("Compara el blueprint 1 con el 2", "compare_blueprints", {"blueprint_id": 1, "other_blueprint_id": 2}),
    ("¿Cómo podemos gastar menos en el blueprint 3?", "optimize_costs", {"blueprint_id": 3}),
    ("la vm-12 va muy lenta", "troubleshoot_issue", {"vm_ids": ["vm-12"]}),
    ("Crea un servidor de correo", "create_blueprint", {}),
    ("Il blueprint 7 è valido?", "validate_blueprint", {"blueprint_id": 7}),
    ("C'è ancora spazio per altre macchine?", "calculate_capacity", {}),
    ("Prevedi l'uso della CPU per le prossime 2 settimane", "forecast_metrics", {"metric": "cpu", "days": 14}),
    ("Siamo conformi a CIS?", "check_compliance", {"framework": "cis"}),
    ("Cosa c'è che non va con vm-8?", "troubleshoot_issue", {"vm_ids": ["vm-8"]}),
    ("Che architettura mi consigli per 300 utenti?", "suggest_architecture", {"peak_users": 300}),
    ("How big must the servers be if 25000 people stream at once?", "estimate_resources", {"peak_users": 25_000}),
    ("Would blueprint 19 cope with 900 requests a second?", "estimate_resources", {"requests_per_second": 900.0}),
    ("Please look over blueprint 23 for mistakes", "validate_blueprint", {"blueprint_id": 23}),
    (
        "is blueprint 3 more expensive than blueprint 5?",
        "compare_blueprints",
        {"blueprint_id": 3, "other_blueprint_id": 5},
    ),
    ("The database vm-9 can't be reached", "troubleshoot_issue", {"vm_ids": ["vm-9"]}),
    ("Last night's backup of vm-31 did not work", "troubleshoot_issue", {"vm_ids": ["vm-31"]}),
    ("preview the deployment of blueprint 77", "generate_deployment_plan", {"blueprint_id": 77}),
    ("what would you suggest for a small online shop?", "suggest_architecture", {}),
    ("Are there enough resources left for 5 more VMs with 8 cores?", "calculate_capacity", {"cpu": 8}),
    ("move vm-5 and vm-6 to another cluster", "migrate_infrastructure", {"vm_ids": ["vm-5", "vm-6"]}),
    ("how hardened is blueprint 2", "security_audit", {"blueprint_id": 2}),
    ("cpu usage next month", "forecast_metrics", {"metric": "cpu", "days": 30}),
    ("Welche Hardware für 40 Anfragen pro Sekunde?", "estimate_resources", {"requests_per_second": 40.0}),
    ("Mach Blueprint 6 günstiger", "optimize_costs", {"blueprint_id": 6}),
    ("Der Server vm-61 ist abgestürzt", "troubleshoot_issue", {"vm_ids": ["vm-61"]}),
    ("Was passiert, wenn ich Blueprint 9 ausrolle?", "generate_deployment_plan", {"blueprint_id": 9}),
    ("Wie entwickelt sich der Speicherverbrauch in den nächsten 4 Wochen?", "forecast_metrics", {"days": 28}),
    ("Quels sont les risques de sécurité de vm-18 ?", "security_audit", {"vm_ids": ["vm-18"]}),
    ("Sommes-nous conformes à SOC 2 ?", "check_compliance", {"framework": "soc2"}),
    ("Le blueprint 11 coûte trop cher", "optimize_costs", {"blueprint_id": 11}),
    ("Quiero mover mis máquinas de VMware a Proxmox", "migrate_infrastructure", {}),
    ("¿Está bien escrito el blueprint 20?", "validate_blueprint", {"blueprint_id": 20}),
    (
        "¿Qué diferencias hay entre el blueprint 4 y el 6?",
        "compare_blueprints",
        {"blueprint_id": 4, "other_blueprint_id": 6},
    ),
    ("Quanto spazio libero abbiamo?", "calculate_capacity", {}),
    ("Progetta un'architettura per 2 mila utenti", "suggest_architecture", {"peak_users": 2_000}),
]


@pytest.mark.parametrize(("question", "tool", "given"), ASKED, ids=lambda value: str(value)[:50])
def test_the_tool_and_what_it_is_given(question: str, tool: str, given: dict[str, Any]) -> None:
    choice = choose(question, {}, by=make_actor())
    assert choice.tool == tool, choice.reasons
    exact = {
        name: value
        for name, value in choice.arguments.items()
        if name not in {"description", "problem", "requirements"}
    }
    assert exact == given


def test_places_that_the_caller_sees_are_read() -> None:
    by = make_actor()
    make_environment("staging")
    make_cluster(organization=make_organization(), slug="old")
    make_cluster(organization=make_organization(), slug="new")
    make_cluster(slug="theirs")
    assert choose("deploy blueprint 6 to staging", {}, by=by).arguments == {"blueprint_id": 6, "environment": "staging"}
    moved = choose("migrate everything from old to new", {}, by=by).arguments
    assert moved == {"source_cluster": "old", "target_cluster": "new"}
    assert choose("Migriere alles vom Cluster old nach new", {}, by=by).arguments == moved
    assert choose("Migre toutes les machines de old", {}, by=by).arguments == {"source_cluster": "old"}
    assert choose("is there room on theirs?", {}, by=by).arguments == {}
    assert choose("is there room on new?", {}, by=by).arguments == {"cluster": "new"}


def test_machines_are_named_by_id_and_by_name() -> None:
    cluster, by = make_cluster(organization=make_organization()), make_actor()
    runner, web = (public_id(make_guest(cluster, name=name)) for name in ("build-runner", "web"))
    make_guest(make_cluster(slug="theirs"), name="dns-9")
    assert choose("Why is build-runner slow?", {}, by=by).arguments["vm_ids"] == [runner]
    assert choose(f"Audit {web} and build-runner.", {}, by=by).arguments == {"vm_ids": [web, runner]}
    assert "vm_ids" not in choose("Why is the web slow?", {}, by=by).arguments, "a plain word may mean anything"
    gitlab = public_id(make_guest(cluster, name="gitlab"))
    for words in ("gitlab keeps crashing", "Why is GitLab so slow?", "users complain about gitlab", "gitlab hängt"):
        assert choose(words, {}, by=by).arguments["vm_ids"] == [gitlab], words
    assert "vm_ids" not in choose("How would you draw gitlab for 100 users?", {}, by=by).arguments
    assert "vm_ids" not in choose("Why is dns-9 slow?", {}, by=by).arguments
    blind = replace(by, scopes=frozenset({"tool:read"}))
    assert "vm_ids" not in choose("Why is build-runner slow?", {}, by=blind).arguments


@pytest.mark.parametrize(
    ("question", "given"),
    [
        ("Can blueprint 2 500 requests per second?", {"requests_per_second": 500.0}),
        ("estimate -5 users", {}),
        ("estimate 1e400 users", {}),
        ("estimate for 5 blueprints", {}),
    ],
)
def test_figures_that_are_not_said(question: str, given: dict[str, Any]) -> None:
    assert choose(question, {}, by=make_actor()).arguments == given


def test_a_blueprint_in_a_question_is_what_it_is_about() -> None:
    text = "name: x\nresources:\n- name: a\n  type: vm\n  specs: {cpu: two}\n"
    for question in (f"What is this?\n```yaml\n{text}```\n", text, f"Is it valid? ```\n{text}```"):
        choice = choose(question, {}, by=make_actor())
        assert (choice.tool, choice.arguments["blueprint"].strip()) == ("validate_blueprint", text.strip())
    asked = f"what would this cost me?\n```\n{text}```"
    assert choose(asked, {}, by=make_actor()).tool == "optimize_costs"
    assert "blueprint" not in choose(asked, {"blueprint_id": 4}, by=make_actor()).arguments


@pytest.mark.parametrize(
    ("text", "people"),
    [("1,500", 1500), ("1.500", 1500), ("1 500", 1500), ("1.5k", 1500), ("2 million", 2_000_000), ("2,5 Mio", 2_500_000),
     ("10 mil", 10_000), ("1.234.567", 1_234_567), ("500", 500), ("3'000", 3000)],
)  # fmt: skip
def test_numbers_as_they_are_written(text: str, people: int) -> None:
    assert choose(f"estimate {text} users", {}, by=make_actor()).arguments == {"peak_users": people}


@pytest.mark.parametrize(
    "text", ["1 " * 4000, "blueprint " * 790, "a b c d " * 900, "9" * 7000 + " users", "1.000" * 1500, "from " * 1500]
)
def test_long_questions_are_heard_quickly(text: str) -> None:
    started = time.process_time()
    with contextlib.suppress(BadRequest):
        choose(text, {}, by=make_actor())
    assert time.process_time() - started < 1.5
