"""Templates: blueprints that somebody has thought through, with parameters. Rendering is pure and never changes a template."""

from blueprints.catalogue.figures import Figures, figures_of
from blueprints.catalogue.parameters import Parameter, checked
from blueprints.catalogue.rendering import render
from blueprints.catalogue.templates import Template, all_templates, find

__all__ = ["Figures", "Parameter", "Template", "all_templates", "checked", "figures_of", "find", "render"]
