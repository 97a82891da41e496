// What is looked at stands behind the # of the address, so that a link leads there again.

/**
 * Reads and writes the addresses of a page.
 *
 * @template {Record<string, string>} View
 */
export class Address {
  /** @param {View} first what is looked at where an address says nothing; its names are all that an address may have */
  constructor(first) {
    this.first = first;
  }

  /** @returns {View} what the page's address asks for */
  read() {
    const given = new URLSearchParams(location.hash.slice(1));
    const names = Object.keys(this.first);
    const found = names.filter((name) => given.has(name)).map((name) => [name, given.get(name)]);
    return { ...this.first, ...Object.fromEntries(found) };
  }

  /**
   * The part of an address that stands for a view; what is as at first is left out.
   *
   * @param {Partial<View>} view
   */
  of(view) {
    const changed = Object.entries(view).filter(([name, value]) => value !== this.first[name]);
    return `#${new URLSearchParams(changed)}`;
  }
}
