"""The GraphQL kit: contexts, loaders, payloads, connections, scalars, errors and the HTTP view. Knows no domain."""
