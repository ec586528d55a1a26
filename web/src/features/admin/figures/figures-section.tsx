import { Segments } from "../../../ui/segments.tsx";
import { useStatistics } from "../data/queue.ts";
import { Loaded } from "../loaded.tsx";
import { type Span, spans, usualSpan } from "../search.ts";
import { SectionHead } from "../section-head.tsx";
import type { View } from "../use-view.ts";
import { EndedChart, SpreadChart } from "./charts.tsx";
import { Executors } from "./executors.tsx";
import { strings } from "./strings.ts";

/** How much was done, how long it waited and how long it ran. */
export function FiguresSection({ view }: { view: View }) {
  const hours = view.search.hours ?? usualSpan;
  const statistics = useStatistics(hours);
  const choose = (value: string) =>
    view.change(({ hours: _hours, ...rest }) => {
      const chosen = spans.find((span) => String(span) === value) ?? usualSpan;
      return chosen === usualSpan ? rest : { ...rest, hours: chosen };
    });
  return (
    <section id="figures" aria-labelledby="figures-title" className="admin-section">
      <SectionHead id="figures-title" title={strings.title}>
        <Segments
          label={strings.span}
          options={spans.map((span) => ({ value: String(span), label: spanText(span) }))}
          value={String(hours)}
          onChange={choose}
        />
      </SectionHead>
      <Loaded query={statistics} loading={strings.loading} failed={strings.failed}>
        {(known) => (
          <div className="admin-charts">
            <EndedChart statistics={known} />
            <SpreadChart statistics={known} kind="wait" />
            <SpreadChart statistics={known} kind="run" />
            <Executors statistics={known} />
          </div>
        )}
      </Loaded>
    </section>
  );
}

function spanText(span: Span): string {
  return span <= 24 ? strings.hours(span) : strings.days(span / 24);
}
