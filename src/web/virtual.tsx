/** A list of any length of which only what can be seen exists, in rows of one height. Rows are asked for as needed. */

import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

export interface Span {
  readonly first: number;
  readonly count: number;
}

/** What can be seen from left to right, with some to spare. */
export interface Sight {
  readonly left: number;
  readonly right: number;
}

const SPARE = 4;
const STEP_PX = 400;

export function VirtualRows({
  total,
  rowPx,
  label,
  onSpan,
  render,
  head,
  widthPx,
  leftPx,
}: {
  readonly total: number;
  readonly rowPx: number;
  readonly label: string;
  /** Which rows are to be there. */
  readonly onSpan: (span: Span) => void;
  readonly render: (index: number, sight: Sight) => ComponentChildren;
  /** Stays at the top. */
  readonly head?: ComponentChildren;
  /** Of the rows, where they are wider than the list. */
  readonly widthPx?: number;
  /** Where the list stands from left to right when it is new or this changes. */
  readonly leftPx?: number;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [span, setSpan] = useState<Span>({ first: 0, count: 20 });
  const [sight, setSight] = useState<Sight>({ left: 0, right: 4 * STEP_PX });

  const measure = () => {
    const element = box.current;
    if (!element) return;
    const first = Math.max(0, Math.floor(element.scrollTop / rowPx) - SPARE);
    const count = Math.ceil(element.clientHeight / rowPx) + 2 * SPARE;
    setSpan((old) => (old.first === first && old.count === count ? old : { first, count }));
    const left = Math.floor(element.scrollLeft / STEP_PX) * STEP_PX - STEP_PX;
    const right = left + Math.ceil(element.clientWidth / STEP_PX) * STEP_PX + 3 * STEP_PX;
    setSight((old) => (old.left === left && old.right === right ? old : { left, right }));
  };
  useLayoutEffect(() => {
    if (box.current && leftPx !== undefined) box.current.scrollLeft = leftPx;
  }, [leftPx]);
  useLayoutEffect(measure, [total, rowPx]);
  useEffect(() => {
    const observer = new ResizeObserver(measure);
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  useEffect(() => onSpan(span), [span.first, span.count, total]);

  const rows: number[] = [];
  for (let index = span.first; index < Math.min(total, span.first + span.count); index += 1) rows.push(index);
  const width = widthPx === undefined ? undefined : `${widthPx}px`;
  return (
    <div class="rows" ref={box} onScroll={measure} tabIndex={0} role="region" aria-label={label}>
      {head && (
        <div class="rows-head" style={{ width }}>
          {head}
        </div>
      )}
      <div class="rows-all" role="list" style={{ height: `${total * rowPx}px`, width }}>
        {rows.map((index) => (
          <div
            key={index}
            class="row"
            role="listitem"
            aria-setsize={total}
            aria-posinset={index + 1}
            style={{ top: `${index * rowPx}px`, height: `${rowPx}px` }}
          >
            {render(index, sight)}
          </div>
        ))}
      </div>
    </div>
  );
}
