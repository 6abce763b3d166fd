// Processor time that DuckDB needs, on one thread, to look up every code of a
// CSV file in lists that it has already: "SECONDS".
//   node duckdb.js FILE
const { DuckDBInstance } = require('@duckdb/node-api');

async function main(file) {
  const coded = ['FREQ', 'REPORTING_TYPE', 'SERIES', 'REF_AREA', 'SEX', 'AGE',
    'URBANISATION', 'INCOME_WEALTH_QUANTILE', 'EDUCATION_LEV', 'OCCUPATION',
    'CUST_BREAKDOWN', 'COMPOSITE_BREAKDOWN', 'DISABILITY_STATUS', 'ACTIVITY',
    'PRODUCT', 'OBS_STATUS', 'UNIT_MULT', 'UNIT_MEASURE', 'NATURE'];
  const from = `read_csv('${file}', header = true, all_varchar = true)`;
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const db = await instance.connect();
  for (const name of coded)
    await db.run(`create table c_${name} as select distinct ${name} from ${from}`);
  const wrong = coded.map((name) =>
    `${name} not in (select ${name} from c_${name})`).join(' or ');
  const begin = process.cpuUsage();
  const found = await db.runAndReadAll(
    `select count(*) as n from ${from} where ${wrong}
     or try_cast(OBS_VALUE as double) is null`);
  const took = process.cpuUsage(begin);
  if (Number(found.getRows()[0][0]) !== 0)
    throw new Error('DuckDB finds codes that are none');
  console.log((took.user + took.system) / 1e6);
}

main(process.argv[2]).catch((error) => {
  console.error(String(error));
  process.exit(1);
});
