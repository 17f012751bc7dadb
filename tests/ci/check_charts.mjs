// node check_charts.mjs FILE...: mermaid's own parser takes every chart in these Markdown files, and
// finds in it each row that is there to be seen.
import { readFileSync } from 'node:fs';
import mermaid from 'mermaid';

let failed = 0;
for (const file of process.argv.slice(2)) {
  const charts = [...readFileSync(file, 'utf8').matchAll(/^```mermaid\n([\s\S]*?)^```$/gm)].map((found) => found[1]);
  for (const chart of charts) {
    const rows = chart.split('\n').filter((line) => /^ {4}(\d+\.|▸) /.test(line)).map((line) => line.trim().split(' :')[0]);
    try {
      await mermaid.parse(chart); // loads the grammar, too
      const diagram = await mermaid.mermaidAPI.getDiagramFromText(chart);
      const tasks = diagram.db.getTasks().map((task) => task.task.trim());
      if (JSON.stringify(tasks) !== JSON.stringify(rows)) throw new Error(`it has ${JSON.stringify(tasks)}, not ${JSON.stringify(rows)}`);
      console.log(`ok   ${file}: ${rows.length} rows`);
    } catch (error) {
      failed = 1;
      console.log(`FAIL ${file}: ${error.message}`);
    }
  }
}
process.exit(failed);
