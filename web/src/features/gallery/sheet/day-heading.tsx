/* oxlint-disable jsx-a11y/prefer-tag-over-role -- rows that are placed one by one make no table */
import { formatNumber } from "../../../ui/language.ts";
import { dayTitle } from "../../../ui/time.ts";

/** "Today 21 November 19": the day of the pictures below it; the count once the whole day is known. */
export function DayHeading({ date, count }: { date: string; count: number | null }) {
  // Noon is the same day in every zone that shifts its clock.
  const { name, date: text } = dayTitle(`${date}T12:00:00`);
  return (
    <div role="gridcell" className="day">
      <h2>{name ?? text}</h2>
      {name === null ? null : <span>{text}</span>}
      {count === null ? null : <span className="num">{formatNumber(count)}</span>}
    </div>
  );
}
