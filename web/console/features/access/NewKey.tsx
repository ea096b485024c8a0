import { useState } from "react";
import { Form } from "react-aria-components";

import { client } from "../../api/client";
import { useCommand } from "../../api/commands";
import type { Viewer } from "../../api/viewer";
import { Button } from "../../ui/Button";
import { CheckboxGroup } from "../../ui/Checkbox";
import { Dialog } from "../../ui/Dialog";
import { Select, TextField } from "../../ui/fields";
import { ApiKeysDocument, CreateApiKeyDocument, type CreateApiKeyMutationVariables } from "./documents.generated";
import { expiresAt, LASTING, type Lasting } from "./expiry";
import styles from "./KeysPage.module.css";
import { Secret } from "./Secret";

type Input = CreateApiKeyMutationVariables["input"];

const SCOPES = [
  { value: "READ", label: "Read: queries, subscriptions, downloads" },
  { value: "WRITE", label: "Write: all that its roles allow" },
  { value: "ADMIN", label: "Admin: that, and what takes an admin" },
] as const;

/** Asks what the key is for, makes it, and shows its text this once. */
export function NewKey({ viewer, onClose }: { viewer: Viewer; onClose: () => void }) {
  const [made, setMade] = useState<{ name: string; secret: string | null }>();
  const { send, sending } = useCommand(CreateApiKeyDocument);
  // One for this dialog: sent again after a failure, the key is not made twice.
  const [clientKey] = useState(() => crypto.randomUUID());

  const make = async (input: Input) => {
    const payload = await send({ input: { ...input, clientKey } });
    if (payload?.apiKey) {
      setMade({ name: payload.apiKey.name, secret: payload.secret ?? null });
      await client.refetchQueries({ include: [ApiKeysDocument] });
    }
  };
  return made ? (
    <Secret {...made} onClose={onClose} />
  ) : (
    <Dialog title="New key" isOpen onClose={onClose}>
      <KeyForm viewer={viewer} isSending={sending} onMake={(input) => void make(input)} />
    </Dialog>
  );
}

function KeyForm({
  viewer,
  isSending,
  onMake,
}: {
  viewer: Viewer;
  isSending: boolean;
  onMake: (input: Input) => void;
}) {
  const [name, setName] = useState("");
  const [user, setUser] = useState("");
  const [scope, setScope] = useState<Input["scope"]>("READ");
  const [roles, setRoles] = useState<Viewer["roles"]>(viewer.roles.filter((role) => role !== "ADMIN"));
  const [lasting, setLasting] = useState<Lasting>("90");
  const [day, setDay] = useState("");

  const isAdmin = viewer.roles.includes("ADMIN");
  const offered = viewer.roles.filter((role) => role !== "ADMIN" || scope === "ADMIN");
  const choose = (chosen: Input["scope"]) => {
    setScope(chosen);
    if (chosen === "ADMIN" && !roles.includes("ADMIN")) {
      setRoles([...roles, "ADMIN"]);
    }
  };
  const submit = () =>
    onMake({
      name,
      scope,
      roles: roles.filter((role) => offered.includes(role)),
      expiresAt: expiresAt(lasting, day),
      ...(user && { userId: user }),
    });
  return (
    <Form
      className={styles.form ?? ""}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <TextField
        label="Name"
        help="What uses it, such as “nightly export”."
        isRequired
        autoFocus
        maxLength={200}
        value={name}
        onChange={setName}
      />
      <Select
        label="Scope"
        choices={SCOPES.filter(({ value }) => value !== "ADMIN" || isAdmin)}
        value={scope}
        onChange={choose}
      />
      <CheckboxGroup
        label="Roles"
        help="A key never has more than you have."
        choices={offered.map((role) => ({ value: role, label: role.toLowerCase() }))}
        value={roles}
        onChange={setRoles}
      />
      <Select label="Lasts" choices={LASTING} value={lasting} onChange={setLasting} />
      {lasting === "day" && <TextField label="Last day" type="date" isRequired value={day} onChange={setDay} />}
      {isAdmin && (
        <TextField label="For user" help="Whom it lets in; without a name yourself." value={user} onChange={setUser} />
      )}
      <Button kind="primary" type="submit" isPending={isSending}>
        Make the key
      </Button>
    </Form>
  );
}
