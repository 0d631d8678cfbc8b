"""Wiring: GraphQL over what all apps let an actor see. Read only, bounded before it runs, nothing asked row by row."""

from alma.graphql.views import GraphQLView

__all__ = ["GraphQLView"]
