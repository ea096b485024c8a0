import type { ToolInput } from "./documents.generated";
import type { Draft } from "./drafts";

/** The tools that a draft offers, as the server takes them. */
export function toolsOf({ tools, approving }: Pick<Draft, "tools" | "approving">): { tools?: ToolInput[] } {
  return tools.length === 0 ? {} : { tools: tools.map((name) => ({ name, requiresApproval: approving })) };
}
