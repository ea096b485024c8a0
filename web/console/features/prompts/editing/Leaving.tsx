import { useBeforeUnload, useBlocker } from "react-router";

import { Button } from "../../../ui/Button";
import { Dialog } from "../../../ui/Dialog";
import type { Editing } from "./useDraft";

/** Asks whoever goes to another page with changes that are not saved. Within the page nothing is lost. */
export function Leaving({ editing }: { editing: Editing }) {
  const blocker = useBlocker(
    ({ currentLocation, nextLocation }) => editing.isChanged && currentLocation.pathname !== nextLocation.pathname,
  );
  // A closed tab takes the draft with it.
  useBeforeUnload((event) => {
    if (editing.isChanged) {
      event.preventDefault();
    }
  });
  if (blocker.state !== "blocked") {
    return null;
  }
  return (
    <Dialog
      title="Leave without saving?"
      isOpen
      onClose={blocker.reset}
      actions={
        <>
          <Button onPress={blocker.reset}>Stay</Button>
          <Button
            kind="danger"
            onPress={() => {
              editing.discard();
              blocker.proceed();
            }}
          >
            Discard changes
          </Button>
          <Button kind="primary" onPress={blocker.proceed}>
            Keep as a draft
          </Button>
        </>
      }
    >
      <p>Your changes are not saved as a version. A draft waits here for as long as this tab is open.</p>
    </Dialog>
  );
}
