export interface Column {
  name: string;
  className?: string;
  /** The name is for those alone who hear the table: a column of buttons. */
  isSilent?: boolean;
}

/** The head of a table, a cell for each column. */
export function TableHead({ columns }: { columns: readonly Column[] }) {
  return (
    <thead>
      <tr>
        {columns.map(({ name, className, isSilent = false }) => (
          <th key={name} scope="col" className={className}>
            {isSilent ? <span className="visually-hidden">{name}</span> : name}
          </th>
        ))}
      </tr>
    </thead>
  );
}
