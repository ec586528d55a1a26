import type { Account } from "@safelight/contract";
import { formatNumber } from "../../../ui/language.ts";
import { strings } from "./strings.ts";

/** More slots than these are told as a number. */
const drawn = 8;

/** What an account may run at once, and how much of it is taken. */
export function Slots({ account }: { account: Account }) {
  return (
    <>
      {(["video", "image"] as const).map((type) =>
        account.slots[type] + account.running[type] === 0 ? null : (
          <span key={type} className="admin-slots">
            {strings[type]}
            <Boxes used={account.running[type]} all={account.slots[type]} />
          </span>
        ),
      )}
    </>
  );
}

function Boxes({ used, all }: { used: number; all: number }) {
  const isDrawn = all <= drawn && used <= all;
  return (
    <>
      <span className="visually-hidden">{strings.inUse(used, all)}</span>
      {isDrawn ? (
        <span className="admin-boxes" aria-hidden="true">
          {Array.from({ length: all }, (_, index) => (
            <i key={index} className={index < used ? "on" : undefined} />
          ))}
        </span>
      ) : (
        <span className="num" aria-hidden="true">
          {formatNumber(used)} / {formatNumber(all)}
        </span>
      )}
    </>
  );
}
