// What Relay does beyond plain operations: a fragment that is refetched by its id, page by page, and written to.
import { graphql } from "relay-runtime";

graphql`
  fragment Conversation_session on ChatSession
  @argumentDefinitions(count: { type: "Int", defaultValue: 50 }, cursor: { type: "String" })
  @refetchable(queryName: "ConversationEarlierQuery") {
    title
    messages(last: $count, before: $cursor) @connection(key: "Conversation_messages") {
      edges {
        node {
          ...Conversation_message
        }
      }
    }
  }
`;

graphql`
  fragment Conversation_message on ChatMessage @refetchable(queryName: "ConversationMessageQuery") {
    role
    content
  }
`;

graphql`
  query ConversationQuery($sessionId: ID!) {
    session(id: $sessionId) {
      ...Conversation_session
    }
  }
`;

graphql`
  mutation ConversationMutation($input: DeleteMessageInput!) {
    deleteMessage(input: $input) {
      message {
        ...Conversation_message
      }
    }
  }
`;
