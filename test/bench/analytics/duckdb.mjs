// Times one hand-written query in DuckDB: node duckdb.mjs events.tsv folder repeat what → seconds, the best run.
import { DuckDBInstance } from '@duckdb/node-api';
import { readFileSync } from 'node:fs';

const [, , events, folder, repeat, what] = process.argv;
const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
const connection = await instance.connect();
await connection.run(`CREATE TABLE bench_event AS SELECT make_timestamp(s * 1000000) AS "at", contact, type
    FROM read_csv('${events}', delim = '\t', header = false, columns = {'s': 'BIGINT', 'contact': 'VARCHAR', 'type': 'VARCHAR'})`);
const sql = readFileSync(`${folder}/${what}.naive.sql`, 'utf8')
    .replaceAll("date_bin('7 days', at, '2000-01-03 00:00+00')", "time_bucket(INTERVAL '7 days', at, TIMESTAMP '2000-01-03')")
    .replaceAll('timestamptz', 'timestamp')
    .replaceAll(/\bat\b/g, '"at"'); // a reserved word there
let best = Infinity;
for (let i = 0; i < Number(repeat); i++) {
    const begin = performance.now();
    await (await connection.runAndReadAll(sql)).getRows();
    best = Math.min(best, (performance.now() - begin) / 1000);
}
console.log(best.toFixed(4));
