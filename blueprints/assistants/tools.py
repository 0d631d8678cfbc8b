"""The tools that an assistant may be allowed to use, by the names that alma-api.txt gives them."""

TOOLS = (
    "create_blueprint", "validate_blueprint", "estimate_resources", "optimize_costs", "security_audit",
    "generate_deployment_plan", "troubleshoot_issue", "compare_blueprints", "suggest_architecture",
    "calculate_capacity", "migrate_infrastructure", "check_compliance", "forecast_metrics",
)  # fmt: skip
