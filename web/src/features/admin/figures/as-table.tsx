import { ScrollBox } from "../scroll-box.tsx";
import { strings } from "./strings.ts";

interface AsTableProps {
  title: string;
  columns: readonly string[];
  rows: readonly { head: string; cells: readonly string[] }[];
}

/** The figures of a chart in words, for who does not see it or wants them exactly. */
export function AsTable({ title, columns, rows }: AsTableProps) {
  if (rows.length === 0) return null;
  return (
    <details className="admin-astable">
      <summary aria-label={strings.tableOf(title)}>{strings.asTable}</summary>
      <ScrollBox label={strings.tableOf(title)}>
        <table className="admin-table">
          <thead>
            <tr>
              <th scope="col">{strings.time}</th>
              {columns.map((column) => (
                <th key={column} scope="col" className="admin-right">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ head, cells }) => (
              <tr key={head}>
                <th scope="row" className="num">
                  {head}
                </th>
                {cells.map((cell, index) => (
                  <td key={columns[index]} className="num admin-right">
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </details>
  );
}
