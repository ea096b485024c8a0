import { useRouteError } from "react-router";

import { Button } from "../ui/Button";
import { Page } from "../ui/Page";
import { Empty, Failure } from "../ui/states";
import { isMissing } from "./missing";
import { go } from "./router";

/** What is shown in the place of a page that failed. */
export function Broken() {
  const error = useRouteError();
  return (
    <Page title="Not shown">
      {isMissing(error) ? <Missing /> : <Failure error={error} onRetry={() => location.reload()} />}
    </Page>
  );
}

/** The same where not even the shell stands: a landmark of its own around it. */
export function AllBroken() {
  return (
    <main>
      <Broken />
    </main>
  );
}

/** A part of the console is not there any more under the name that this one knows. */
function Missing() {
  return (
    <Empty
      title="This page could not be loaded"
      action={
        <Button kind="primary" onPress={() => location.reload()}>
          Reload
        </Button>
      }
    >
      There is a newer console on the server, or the server cannot be reached.
    </Empty>
  );
}

/** There is no page under this path. */
export function NotFound() {
  return (
    <Page title="Not found">
      <Empty
        title="There is no such page"
        action={
          <Button kind="primary" onPress={() => go("/chat")}>
            To the conversations
          </Button>
        }
      >
        The link may be an old one, or mistyped.
      </Empty>
    </Page>
  );
}
