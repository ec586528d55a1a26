import { Fragment, useState } from "react";
import { Modal } from "./modal.tsx";
import { keyCaps } from "./shortcut-keys.ts";
import { openShortcutList, type Shortcuts, shortcutsInForce, useShortcutList, useSingleKeys } from "./shortcuts.ts";
import { strings } from "./strings.ts";

/** The list of every key that works right now, with the switch for single keys; once in the frame. */
export function ShortcutsDialog() {
  const { open } = useShortcutList();
  return open ? <ShortcutList /> : null;
}

function ShortcutList() {
  // The list as it was when the question was asked: opening it must not change it.
  const [groups] = useState(shortcutsInForce);
  const { on, setOn } = useSingleKeys();
  const close = () => openShortcutList(false);
  return (
    <Modal title={strings.shortcuts.title} onClose={close} className="dialog-wide">
      <div className="key-groups">
        {groups.map(({ name, shortcuts }) => (
          <section key={name}>
            <h3>{name}</h3>
            <KeyList shortcuts={shortcuts} />
          </section>
        ))}
      </div>
      {groups.length === 0 ? <p>{strings.shortcuts.none}</p> : null}
      <div className="mt-5 flex flex-wrap items-center justify-between gap-3 border-line border-t pt-4">
        <label className="check min-w-0 flex-1">
          <input type="checkbox" checked={on} onChange={(event) => setOn(event.target.checked)} />
          <span>
            {strings.shortcuts.singleKeys}
            <span className="hint block">{strings.shortcuts.singleKeysHint}</span>
          </span>
        </label>
        <button type="button" className="btn" onClick={close}>
          {strings.close}
        </button>
      </div>
    </Modal>
  );
}

function KeyList({ shortcuts }: { shortcuts: Shortcuts }) {
  return (
    <dl className="key-list">
      {Object.entries(shortcuts).map(([key, { label }]) => (
        <div key={key}>
          <dt>{label}</dt>
          <dd>
            {keyCaps(key).map((caps, index) => (
              <Fragment key={caps.join()}>
                {index > 0 ? ` ${strings.shortcuts.followedBy} ` : null}
                {caps.map((cap) => (
                  <kbd key={cap} className="key">
                    {cap}
                  </kbd>
                ))}
              </Fragment>
            ))}
          </dd>
        </div>
      ))}
    </dl>
  );
}
