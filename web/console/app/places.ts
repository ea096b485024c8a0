import {
  ChartColumn,
  CircleCheck,
  FlaskConical,
  KanbanSquare,
  KeyRound,
  type LucideIcon,
  MessagesSquare,
  ScrollText,
} from "lucide-react";

export interface Place {
  to: string;
  label: string;
  icon: LucideIcon;
  /** What one presses to go there. */
  keys: string;
}

/** Where one can go, in this order. */
export const PLACES: readonly Place[] = [
  { to: "/chat", label: "Chat", icon: MessagesSquare, keys: "g c" },
  { to: "/approvals", label: "Approvals", icon: CircleCheck, keys: "g a" },
  { to: "/workflow", label: "Workflow", icon: KanbanSquare, keys: "g w" },
  { to: "/prompts", label: "Prompts", icon: FlaskConical, keys: "g p" },
  { to: "/figures", label: "Figures", icon: ChartColumn, keys: "g f" },
  { to: "/keys", label: "API keys", icon: KeyRound, keys: "g k" },
  { to: "/audit", label: "Audit trail", icon: ScrollText, keys: "g t" },
];
