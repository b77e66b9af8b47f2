// Growth as a picture: time and memory over the number of Deployments. Pure: rows in, SVG out.

/** @typedef {{name: string, color: string, points: {x: number, y: number}[]}} Line */

const [width, height, left, top, gap] = [360, 240, 56, 34, 40];

/**
 * @param {readonly import("./report.mjs").Row[]} rows
 * @returns {string}
 */
export function growth(rows) {
  const over = (/** @type {(row: import("./report.mjs").Row) => number} */ y) =>
    rows.map((row) => ({ x: row.deployments, y: y(row) }));
  const memory = (/** @type {"tagalong" | "kubectl"} */ side, /** @type {string} */ program) =>
    over((row) => row[side].processes[program]?.megabytes ?? 0);
  const panels = [
    panel("from the push until all pods are ready, seconds", [
      { name: "Tagalong", color: "#0969da", points: over(({ tagalong }) => tagalong.ms / 1_000) },
      { name: "kubectl", color: "#bc4c00", points: over(({ kubectl }) => kubectl.ms / 1_000) },
    ]),
    panel("peak memory of a process, MB", [
      { name: "watcher and program", color: "#0969da", points: memory("tagalong", "node") },
      { name: "engine", color: "#1a7f37", points: memory("tagalong", "pulumi") },
      { name: "provider", color: "#8250df", points: memory("tagalong", "pulumi-resource-kubernetes") },
      { name: "kubectl", color: "#bc4c00", points: memory("kubectl", "kubectl") },
    ]),
  ];
  const each = width + left + gap;
  const body = panels.map((content, index) => `<g transform="translate(${index * each},0)">${content}</g>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${panels.length * each}" height="${height + top + 48}" font-family="sans-serif" font-size="12">
<title>How the time of a roll and the memory of its processes grow with the number of Deployments</title>
<rect width="100%" height="100%" fill="white"/>
${body.join("\n")}
</svg>
`;
}

/**
 * @param {string} title
 * @param {readonly Line[]} lines
 */
function panel(title, lines) {
  const points = lines.flatMap((line) => line.points);
  const mostX = Math.max(1, ...points.map(({ x }) => x));
  const step = stepOf(Math.max(1, ...points.map(({ y }) => y)));
  const mostY = step * Math.ceil(Math.max(1, ...points.map(({ y }) => y)) / step);
  const x = (/** @type {number} */ value) => round(left + (value / mostX) * width);
  const y = (/** @type {number} */ value) => round(top + height - (value / mostY) * height);
  const grid = Array.from({ length: mostY / step + 1 }, (_, index) => index * step).map(
    (value) =>
      `<line x1="${left}" x2="${left + width}" y1="${y(value)}" y2="${y(value)}" stroke="#d0d7de"/><text x="${left - 6}" y="${y(value) + 4}" text-anchor="end">${value}</text>`,
  );
  const ticks = [...new Set(points.map((point) => point.x))]
    .filter((value) => value === 1 || value >= mostX / 20)
    .map((value) => `<text x="${x(value)}" y="${top + height + 16}" text-anchor="middle">${value}</text>`);
  const drawn = lines.map(({ name, color, points }, index) => {
    const path = points.map((point) => `${x(point.x)},${y(point.y)}`).join(" ");
    const dots = points.map(
      (point) => `<circle cx="${x(point.x)}" cy="${y(point.y)}" r="3" fill="${color}"/>`,
    );
    const label = `<text x="${left + 10}" y="${top + 16 + index * 16}" fill="${color}">${name}</text>`;
    return `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"/>${dots.join("")}${label}`;
  });
  const below = `<text x="${left + width / 2}" y="${top + height + 36}" text-anchor="middle">Deployments of 5 pods</text>`;
  return `<text x="${left}" y="20" font-weight="bold">${title}</text>\n${[...grid, ...ticks, ...drawn, below].join("\n")}`;
}

/** A round number that goes four to nine times into the largest value. */
function stepOf(/** @type {number} */ most) {
  const power = 10 ** Math.floor(Math.log10(most));
  return [0.1, 0.2, 0.5, 1].map((part) => part * power).find((step) => most / step <= 9) ?? power;
}

const round = (/** @type {number} */ value) => Math.round(value * 10) / 10;
