import { MessagesSquare } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Form } from "react-aria-components";
import { useLoaderData, useRevalidator, useSearchParams } from "react-router";

import { type Account, account, signIn } from "../../api/account";
import { isRefusedCaller, tell } from "../../api/errors";
import { viewerOf } from "../../api/viewer";
import { Button } from "../../ui/Button";
import { Checkbox } from "../../ui/Checkbox";
import { TextField } from "../../ui/fields";
import { useTitle } from "../../ui/Page";
import { Failure } from "../../ui/states";
import { named, pasted } from "./credentials";
import { destination } from "./destination";
import styles from "./SignIn.module.css";

/** How one gets in: by showing something, or by any name where authentication is off. */
type Door = { kind: "guarded" } | { kind: "open"; anybody: string } | { kind: "unknown"; error: unknown };

/** Tries what happens to a caller who says nothing. */
export async function loader(): Promise<Door> {
  try {
    return { kind: "open", anybody: (await viewerOf(null)).userId };
  } catch (error) {
    return isRefusedCaller(error) ? { kind: "guarded" } : { kind: "unknown", error };
  }
}

/** Signing in, and what leads back to where one was. */
export function Component() {
  useTitle("Sign in");
  const door = useLoaderData<Door>();
  const { revalidate } = useRevalidator();
  return (
    <main className={styles.place}>
      <div className={styles.card}>
        <p className={styles.brand}>
          <MessagesSquare size={20} aria-hidden />
          Colloquy
        </p>
        <h1>Sign in</h1>
        {door.kind === "guarded" && <ByCredential />}
        {door.kind === "open" && <ByName anybody={door.anybody} />}
        {door.kind === "unknown" && <Failure error={door.error} onRetry={() => void revalidate()} />}
      </div>
    </main>
  );
}

function ByCredential() {
  const [text, setText] = useState("");
  const entering = useEntering();
  // What was kept until now no longer lets its owner in.
  const [hasEnded] = useState(account() !== null);
  const enter = () => {
    const shown = pasted(text);
    return shown ? entering.enter(shown) : entering.refuse("that is neither a token nor a key");
  };
  return (
    <EntryForm entering={entering} onSubmit={enter} action="Sign in">
      {hasEnded && (
        <p className={styles.note}>You are not signed in any more. Sign in again to go on where you were.</p>
      )}
      <TextField
        label="Token or API key"
        type="password"
        autoComplete="off"
        autoFocus
        isRequired
        value={text}
        onChange={setText}
        help="A JSON Web Token of your provider, or a key that begins with colloquy_."
      />
    </EntryForm>
  );
}

function ByName({ anybody }: { anybody: string }) {
  const [text, setText] = useState("");
  const entering = useEntering();
  return (
    <EntryForm entering={entering} onSubmit={() => entering.enter(named(text))} action="Continue">
      <p className={styles.note}>Authentication is off on this server: whoever reaches it chooses who they are.</p>
      <TextField
        label="Name"
        autoComplete="off"
        autoFocus
        placeholder={anybody}
        value={text}
        onChange={setText}
        help={`Such as alice, or alice@acme for another tenant. Without a name you are ${anybody}.`}
      />
    </EntryForm>
  );
}

interface EntryFormProps {
  entering: Entering;
  onSubmit: () => void;
  action: string;
  children: ReactNode;
}

function EntryForm({ entering, onSubmit, action, children }: EntryFormProps) {
  return (
    <Form
      className={styles.form ?? ""}
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {children}
      <Checkbox isSelected={entering.remember} onChange={entering.setRemember}>
        Keep me signed in on this device
      </Checkbox>
      {entering.refusal && (
        <p role="alert" className={styles.refusal}>
          You were not let in: {entering.refusal}.
        </p>
      )}
      <Button kind="primary" type="submit" isPending={entering.isTrying}>
        {action}
      </Button>
    </Form>
  );
}

interface Entering {
  enter: (account: Account | null) => void;
  refuse: (why: string) => void;
  /** Why one was not let in. */
  refusal: string | null;
  isTrying: boolean;
  remember: boolean;
  setRemember: (remember: boolean) => void;
}

/** Tries an account, and keeps it where the server takes it. */
function useEntering(): Entering {
  const [params] = useSearchParams();
  const [remember, setRemember] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const [isTrying, setTrying] = useState(false);

  const attempt = async (account: Account | null) => {
    setTrying(true);
    try {
      const { userId, tenantId } = await viewerOf(account);
      signIn({ account, owner: `${userId}@${tenantId}`, remember });
      location.replace(destination(params.get("to")));
    } catch (error) {
      const { title, detail } = tell(error);
      setRefusal([title.replace(/\.$/, ""), detail].filter(Boolean).join("; "));
      setTrying(false);
    }
  };
  return { enter: (account) => void attempt(account), refuse: setRefusal, refusal, isTrying, remember, setRemember };
}
