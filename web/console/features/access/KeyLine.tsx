import { useState } from "react";

import { useCommand } from "../../api/commands";
import { Badge, type Tone } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { Confirm } from "../../ui/Dialog";
import { Moment } from "../../ui/Moment";
import { type ApiKeyLineFragment, RevokeApiKeyDocument } from "./documents.generated";
import { type Standing, standing } from "./expiry";
import styles from "./KeysPage.module.css";

const TONES: Record<Standing, Tone> = { active: "success", expired: "warning", revoked: "neutral" };

/** A key: whom it lets in, what for, until when, and its end. */
export function KeyLine({ apiKey }: { apiKey: ApiKeyLineFragment }) {
  const state = standing(apiKey);
  return (
    <li className={styles.key}>
      <div className={styles.about}>
        <h2 className={styles.name}>
          {apiKey.name} <Badge tone={TONES[state]}>{state}</Badge>
        </h2>
        <p className={styles.facts}>
          <span>{apiKey.scope.toLowerCase()}</span>
          <span>{apiKey.roles.map((role) => role.toLowerCase()).join(", ")}</span>
          <span>lets in {apiKey.userId}</span>
        </p>
        <p className={styles.facts}>
          <span>
            made <Moment at={apiKey.createdAt} /> by {apiKey.createdBy}
          </span>
          <span>
            {apiKey.lastUsedAt ? (
              <>
                used <Moment at={apiKey.lastUsedAt} />
              </>
            ) : (
              "never used"
            )}
          </span>
          <Ending apiKey={apiKey} state={state} />
        </p>
      </div>
      {state === "active" && <Revoke apiKey={apiKey} />}
    </li>
  );
}

function Ending({
  apiKey: { expiresAt, revokedAt, revokedBy },
  state,
}: {
  apiKey: ApiKeyLineFragment;
  state: Standing;
}) {
  if (revokedAt) {
    return (
      <span>
        revoked <Moment at={revokedAt} /> by {revokedBy}
      </span>
    );
  }
  return expiresAt ? (
    <span>
      {state === "expired" ? "expired" : "expires"} <Moment at={expiresAt} />
    </span>
  ) : (
    <span>never expires</span>
  );
}

function Revoke({ apiKey }: { apiKey: ApiKeyLineFragment }) {
  const [isAsking, setAsking] = useState(false);
  const { send, sending } = useCommand(RevokeApiKeyDocument);
  return (
    <>
      <Button isPending={sending} onPress={() => setAsking(true)} aria-label={`Revoke ${apiKey.name}`}>
        Revoke
      </Button>
      <Confirm
        title={`Revoke “${apiKey.name}”?`}
        action="Revoke"
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={() => void send({ input: { apiKeyId: apiKey.id, clientKey: crypto.randomUUID() } })}
      >
        <p>Whatever comes in with it is cut off at once, and nothing can bring the key back.</p>
      </Confirm>
    </>
  );
}
