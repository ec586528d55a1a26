import { type CSSProperties, type KeyboardEvent, type PointerEvent, useRef } from "react";
import type { KeyframeField } from "../../../../api/models.ts";
import { useWidth } from "../hooks/use-width.ts";
import { placeOf } from "../model/keyframes.ts";
import { apartPlaces, rulerSeconds } from "../model/track.ts";
import type { Keyframe } from "../model/values.ts";
import { strings } from "../strings.ts";

interface KeyframeTrackProps {
  list: readonly Keyframe[];
  /** The number that says where an entry stands. */
  field: KeyframeField;
  /** The last place there is. */
  maximum: number;
  /** Frames a second: the ruler counts in seconds. */
  rate: number;
  chosen: number;
  /** Indices of entries at fault. */
  faulty: ReadonlySet<number>;
  onChoose: (index: number) => void;
  onMove: (index: number, place: number) => void;
  onRemove: (index: number) => void;
}

/** Places that Shift with an arrow key skips. */
const wideStep = 16;

/** Thumbnails over a ruler in seconds; each is a slider that is dragged, or moved by the arrow keys. */
export function KeyframeTrack(props: KeyframeTrackProps) {
  const { list, field, maximum, rate } = props;
  const { element, width } = useWidth<HTMLDivElement>();
  const minimum = field.min ?? 0;
  const span = Math.max(1, maximum - minimum);
  const shares = apartPlaces(
    list.map((keyframe) => (placeOf(keyframe, field) - minimum) / span),
    width,
  );
  const seconds = rulerSeconds(span / rate);
  return (
    <div className="track">
      {/* oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- a fieldset would draw its own frame */}
      <div ref={element} className="track-lane" role="group" aria-label={strings.keyframeTrack}>
        {list.map((keyframe, index) => (
          <TrackThumb
            key={`${keyframe.picture.id} ${String(index)}`}
            {...props}
            keyframe={keyframe}
            index={index}
            share={shares[index] ?? 0}
            placeAt={(x) => placeAt(element.current, x, minimum, span)}
          />
        ))}
      </div>
      <div className="track-times num" aria-hidden="true">
        {seconds.map((second, index) => (
          <span key={second} style={{ "--at": (second * rate) / span } as CSSProperties}>
            {index === seconds.length - 1 ? strings.seconds(second) : second}
          </span>
        ))}
      </div>
    </div>
  );
}

interface TrackThumbProps extends KeyframeTrackProps {
  keyframe: Keyframe;
  index: number;
  share: number;
  placeAt: (x: number) => number;
}

function TrackThumb(props: TrackThumbProps) {
  const { keyframe, index, share, field, maximum, rate, chosen, faulty, placeAt, onChoose, onMove, onRemove } = props;
  // Where inside the thumbnail it was taken, so that it does not jump under the pointer.
  const grip = useRef<number | null>(null);
  const place = placeOf(keyframe, field);
  const onKeyDown = (event: KeyboardEvent) => {
    const goal = goalOf(event, place, field.min ?? 0, maximum);
    const removes = event.key === "Delete" || event.key === "Backspace";
    if (goal === null && !removes) return;
    event.preventDefault();
    if (removes) onRemove(index);
    else if (goal !== null) onMove(index, goal);
  };
  const onPointerDown = (event: PointerEvent<HTMLElement>) => {
    if (event.button !== 0) return;
    onChoose(index);
    event.currentTarget.setPointerCapture?.(event.pointerId);
    const { left, width } = event.currentTarget.getBoundingClientRect();
    grip.current = event.clientX - (left + width / 2);
  };
  const onPointerMove = (event: PointerEvent) => {
    if (grip.current !== null) onMove(index, placeAt(event.clientX - grip.current));
  };
  const release = () => {
    grip.current = null;
  };
  return (
    <div
      className="track-thumb"
      style={{ "--at": share } as CSSProperties}
      // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role -- a range input cannot hold a picture
      role="slider"
      tabIndex={0}
      data-index={index}
      data-invalid={faulty.has(index) || undefined}
      aria-current={index === chosen}
      aria-label={strings.keyframe(index + 1)}
      aria-valuemin={field.min ?? 0}
      aria-valuemax={maximum}
      aria-valuenow={place}
      aria-valuetext={strings.keyframePlace(place, place / rate)}
      onFocus={() => onChoose(index)}
      onKeyDown={onKeyDown}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={release}
      onPointerCancel={release}
    >
      <img src={keyframe.picture.url} alt="" draggable={false} />
    </div>
  );
}

/** Where a key takes the thumbnail; null for keys that mean nothing here. */
function goalOf(event: KeyboardEvent, place: number, minimum: number, maximum: number): number | null {
  const step = event.shiftKey ? wideStep : 1;
  switch (event.key) {
    case "ArrowRight":
    case "ArrowUp":
      return place + step;
    case "ArrowLeft":
    case "ArrowDown":
      return place - step;
    case "PageUp":
      return place + wideStep;
    case "PageDown":
      return place - wideStep;
    case "Home":
      return minimum;
    case "End":
      return maximum;
    default:
      return null;
  }
}

function placeAt(lane: HTMLElement | null, x: number, minimum: number, span: number): number {
  const box = lane?.getBoundingClientRect();
  if (box === undefined || box.width === 0) return minimum;
  return Math.round(minimum + ((x - box.left) / box.width) * span);
}
