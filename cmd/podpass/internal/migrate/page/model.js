// The graph: nodes refer to each other by index. All that is shown of it, this page shows
// as text.
const nodes = JSON.parse(document.getElementById('data').textContent);
const columnCount = 5;

for (const n of nodes) {
  n.previous = [];
  n.text = [n.name, n.note, ...n.facts.map(([, text]) => text)].join('\n').toLowerCase();
}
nodes.forEach((n, i) => n.next.forEach((to) => nodes[to].previous.push(i)));

// A set of nodes is an array with a 1 at the index of each: it is read and written for
// each node at each key that is typed in the search.
const none = () => new Uint8Array(nodes.length);

// reach marks in found the nodes of start, and all that links of one direction ("next",
// "previous") lead to from there without leaving the set within. It gives those that it
// came to, in that order.
function reach(start, links, within, found) {
  const reached = start.filter((i) => !found[i]);
  for (const i of reached) found[i] = 1;
  for (const i of reached) { // the iteration also comes to what is added meanwhile
    for (const to of nodes[i][links]) {
      if (!within[to] || found[to]) continue;
      found[to] = 1;
      reached.push(to);
    }
  }
  return reached;
}

// paths gives the set of all nodes on ways through those of start.
function paths(start, within) {
  const found = none();
  reach(start, 'next', within, found);
  const before = none();
  for (const i of reach(start, 'previous', within, before)) found[i] = 1;
  return found;
}

const everything = none().fill(1);
const roots = [...nodes.keys()].filter((i) => nodes[i].previous.length === 0);

// matching gives the nodes of all ways that begin with a cloud and a severity, and lead
// through a node that has the text. What is empty matches all.
function matching(text, cloud, severity) {
  const begin = roots.filter((i) => (!cloud || nodes[i].cloud === cloud) && (!severity || nodes[i].severity === severity));
  const within = none();
  const all = reach(begin, 'next', everything, within);
  const wanted = text.toLowerCase();
  return wanted ? paths(all.filter((i) => nodes[i].text.includes(wanted)), within) : within;
}

// layout gives each node of a set its row, and each column its nodes from top to bottom.
// A way is on one row where there is room, and no lower than it has to be: what several
// credentials lead to is beside the first.
function layout(visible) {
  const columns = Array.from({ length: columnCount }, () => []);
  const free = Array(columnCount).fill(0);
  const placed = none();
  let top = 0;
  for (const root of roots) {
    if (!visible[root]) continue;
    for (const i of reach([root], 'next', visible, placed)) {
      const column = nodes[i].column;
      nodes[i].row = Math.max(top, free[column]);
      free[column] = nodes[i].row + 1;
      columns[column].push(i);
    }
    top = Math.max(...free);
  }
  return { columns, height: top };
}
