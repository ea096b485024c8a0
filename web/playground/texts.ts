/** What the query editor holds on a first visit, and in every new tab: narrow enough to be read in half a window. */
export const firstQuery = `# Run: Ctrl-Enter (Mac: Cmd-Enter) or the button.
# Complete: Ctrl-Space. Types and fields: the book
# on the left. To click a query: the folder.
# Act as somebody else: a header, see "Headers".

query RecentSessions {
  sessions(first: 5) {
    nodes {
      id
      title
      updatedAt
      messages(last: 3) {
        nodes {
          sequenceNumber
          role
          content
        }
      }
    }
  }
}
`;

/** What the headers editor holds at first: JSON with comments, so nothing is sent until a line is uncommented. */
export const firstHeaders = `{
  // "Authorization": "Bearer …"
  // "X-Colloquy-User": "alice@acme"
}`;
