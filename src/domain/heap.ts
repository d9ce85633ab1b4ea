/** The least of many, again and again: a binary heap. */

export interface Heap<T> {
  push(item: T): void;
  peek(): T | undefined;
  pop(): T | undefined;
}

/** `before` says which of two comes out first. */
export function createHeap<T>(before: (a: T, b: T) => boolean): Heap<T> {
  const items: T[] = [];

  function sink(item: T): void {
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      let least = items[child];
      if (least === undefined) break;
      const right = items[child + 1];
      if (right !== undefined && before(right, least)) {
        least = right;
        child += 1;
      }
      if (!before(least, item)) break;
      items[index] = least;
      index = child;
    }
    items[index] = item;
  }

  return {
    push(item) {
      let index = items.push(item) - 1;
      while (index > 0) {
        const parent = (index - 1) >> 1;
        const above = items[parent];
        if (above === undefined || !before(item, above)) break;
        items[index] = above;
        index = parent;
      }
      items[index] = item;
    },
    peek: () => items[0],
    pop() {
      const [first] = items;
      const last = items.pop();
      if (last !== undefined && items.length > 0) sink(last);
      return first;
    },
  };
}
