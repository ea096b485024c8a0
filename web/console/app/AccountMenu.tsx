import { Keyboard, LogIn, LogOut, UserRound } from "lucide-react";
import { useSyncExternalStore } from "react";
import { Dialog, DialogTrigger, Button as AriaButton, Heading, Popover } from "react-aria-components";

import { account, signOut } from "../api/account";
import { useViewer, type Viewer } from "../api/viewer";
import { Button } from "../ui/Button";
import { Choices } from "../ui/Choices";
import styles from "./AccountMenu.module.css";
import { goToSignIn, wayToSignIn } from "./router";
import { onTheme, setTheme, theme } from "./theme";

const THEMES = [
  { value: "system", label: "System" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
] as const;

/** Who one is, how the console looks, and the way out. */
export function AccountMenu({ onShowKeys, className }: { onShowKeys: () => void; className: string }) {
  const viewer = useViewer();
  const chosen = useSyncExternalStore(onTheme, theme);
  return (
    <DialogTrigger>
      <AriaButton className={className} aria-label={viewer ? `Account of ${viewer.userId}` : "Account"}>
        <UserRound size={20} aria-hidden />
        <span className={styles.name}>{viewer?.userId ?? "Account"}</span>
      </AriaButton>
      <Popover className={styles.popover ?? ""} placement="top start">
        <Dialog className={styles.dialog ?? ""}>
          {({ close }) => (
            <>
              <Heading slot="title" level={2} className={styles.title ?? ""}>
                {viewer?.userId ?? "Account"}
              </Heading>
              {viewer && <WhoOneIs viewer={viewer} />}
              <Choices label="Theme" choices={THEMES} value={chosen} onChange={setTheme} />
              <Button
                kind="quiet"
                onPress={() => {
                  close();
                  onShowKeys();
                }}
              >
                <Keyboard size={18} aria-hidden />
                Keyboard shortcuts
              </Button>
              <Leaving />
            </>
          )}
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

function WhoOneIs({ viewer: { tenantId, roles } }: { viewer: Viewer }) {
  return (
    <dl className={styles.facts}>
      <dt>Tenant</dt>
      <dd>{tenantId}</dd>
      <dt>Roles</dt>
      <dd>{roles.map((role) => role.toLowerCase()).join(", ")}</dd>
    </dl>
  );
}

/** Out, where something was shown to come in; where a name is enough, another one. */
function Leaving() {
  if (account()?.kind === "credential") {
    return (
      <Button
        kind="quiet"
        onPress={() => {
          signOut();
          location.assign(wayToSignIn());
        }}
      >
        <LogOut size={18} aria-hidden />
        Sign out
      </Button>
    );
  }
  return (
    <Button kind="quiet" onPress={goToSignIn}>
      <LogIn size={18} aria-hidden />
      Sign in as somebody else
    </Button>
  );
}
