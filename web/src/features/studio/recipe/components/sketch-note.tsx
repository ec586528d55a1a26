import { Info } from "lucide-react";
import { Fragment, useEffect, useState } from "react";
import { useKnownWords } from "../../../../api/models.ts";
import { unknownWordsIn } from "../model/unknown-words.ts";
import { strings } from "../strings.ts";

/** Milliseconds without a key after which the last word counts as written. */
const pause = 700;

/** What the miniature is, and which words of the prompt it will not know. */
export function SketchNote({ prompt }: { prompt: string }) {
  const known = useKnownWords();
  const unknown = unknownWordsIn(prompt, known, useIsWriting(prompt));
  return (
    <p className="honest">
      <Info aria-hidden="true" />
      {unknown.length === 0 ? (
        <span>{strings.sketchHint}</span>
      ) : (
        <span>
          {strings.sketchUnknown}{" "}
          {unknown.map((word, index) => (
            <Fragment key={word}>
              {index === 0 ? null : ", "}
              <q dir="auto">{word}</q>
            </Fragment>
          ))}
        </span>
      )}
    </p>
  );
}

function useIsWriting(text: string): boolean {
  const [rested, setRested] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setRested(text), pause);
    return () => clearTimeout(timer);
  }, [text]);
  return rested !== text;
}
