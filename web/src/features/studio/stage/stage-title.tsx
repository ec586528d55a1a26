/** What is on the stage, in the words it was asked for with. */
export function StageTitle({ prompt }: { prompt: string }) {
  return (
    <h2 className="stage-title" dir="auto" title={prompt}>
      {prompt}
    </h2>
  );
}
