import { createBrowserRouter, redirect } from "react-router";

import { onAnotherTab, onRefused } from "../api/account";
import { Loading } from "../ui/states";
import { AllBroken, Broken, NotFound } from "./Broken";
import { Shell } from "./Shell";

/**
 * The pages: each feature has its own, and is fetched when it is first gone to. The first part of each path stands in
 * the server's `app/pages/console.py` too, which answers a link to it with the console.
 */
export const router = createBrowserRouter([
  {
    path: "/sign-in",
    lazy: () => import("../features/access/SignIn"),
    ErrorBoundary: AllBroken,
    HydrateFallback: Loading,
  },
  {
    path: "/",
    Component: Shell,
    ErrorBoundary: AllBroken,
    HydrateFallback: Loading,
    // The shell stays when a page fails.
    children: [
      {
        ErrorBoundary: Broken,
        children: [
          { index: true, loader: () => redirect("/chat") },
          { path: "chat/:sessionId?", lazy: () => import("../features/chat/ChatPage") },
          { path: "approvals", lazy: () => import("../features/approvals/ApprovalsPage") },
          { path: "workflow", lazy: () => import("../features/workflow/ProjectsPage") },
          { path: "workflow/:projectId", lazy: () => import("../features/workflow/ProjectPage") },
          { path: "prompts", lazy: () => import("../features/prompts/PromptsPage") },
          { path: "prompts/:templateId", lazy: () => import("../features/prompts/PromptPage") },
          { path: "figures", lazy: () => import("../features/figures/FiguresPage") },
          { path: "figures/:sessionId", lazy: () => import("../features/figures/SessionFiguresPage") },
          { path: "keys", lazy: () => import("../features/access/KeysPage") },
          { path: "audit", lazy: () => import("../features/audit/AuditPage") },
          { path: "*", Component: NotFound },
        ],
      },
    ],
  },
]);

/** Go to a page. */
export function go(path: string): void {
  void router.navigate(path);
}

/** Where one signs in, with the way back to this page. */
export function wayToSignIn(): string {
  const { pathname, search, hash } = router.state.location;
  return `/sign-in?to=${encodeURIComponent(pathname + search + hash)}`;
}

/** Go there, unless one is there already. */
export function goToSignIn(): void {
  if (router.state.location.pathname !== "/sign-in") {
    go(wayToSignIn());
  }
}

onRefused(goToSignIn);

// What the page shows is another's now, or nobody's: it begins anew.
onAnotherTab(() => location.reload());
