import { Button } from "../../../ui/Button";
import type { More } from "./more";
import styles from "./versions.module.css";

/** Asks for the next page of a list, where there is one. */
export function ShowMore({ more: { showMore, isLoading } }: { more: More }) {
  return (
    showMore && (
      <div className={styles.more}>
        <Button isDisabled={isLoading} onPress={showMore}>
          Show more
        </Button>
      </div>
    )
  );
}
