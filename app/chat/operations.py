"""What a chat asks of the API."""

WELCOME = "query Welcome { viewer { userId tenantId } models { id configured } }"

SESSION = """
query Session($sessionId: ID!, $last: Int!) {
  session(id: $sessionId) {
    title
    messages(last: $last) { nodes { role content status } }
    runs(first: 1) { nodes { id status message { id } } }
  }
}
"""

_PAYLOAD = "{ success error { code message hint retryable } run { id message { id } session { id } } }"

SEND = f"mutation Send($input: SendMessageInput!) {{ sendMessage(input: $input) {_PAYLOAD} }}"
RETRY = f"mutation Retry($input: RetryRunInput!) {{ retryRun(input: $input) {_PAYLOAD} }}"
REGENERATE = f"mutation Regenerate($input: RegenerateMessageInput!) {{ regenerateMessage(input: $input) {_PAYLOAD} }}"
CANCEL = f"mutation Cancel($input: CancelRunInput!) {{ cancelRun(input: $input) {_PAYLOAD} }}"

DECIDE = """
mutation Decide($input: DecideToolExecutionInput!) {
  decideToolExecution(input: $input) { success error { code message hint retryable } }
}
"""

FOLLOW = """
subscription Follow($runId: ID!, $after: Int) {
  messageCompletion(runId: $runId, after: $after) {
    __typename
    ... on CompletionSnapshot { seq text message { id toolCalls { name arguments execution { id status } } } }
    ... on CompletionDelta { seq text }
    ... on CompletionToolCall { seq toolCall { name arguments } toolExecution { id status } }
    ... on CompletionTurn { seq message { id } }
    ... on CompletionEnd { seq run { status error { message hint } } }
  }
}
"""
