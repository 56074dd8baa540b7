-- The table that the scenarios read: 10 000 rows found by their primary key.
-- Idempotent: `psql --file postgres.sql` may be run again on the same database.

set client_min_messages = warning;  -- no notice that something exists already

create schema if not exists corrente_lab;

create table if not exists corrente_lab.rows (
    id integer primary key,
    value integer not null,
    text text not null
);

insert into corrente_lab.rows (id, value, text)
select id, (id * 7919) % 10007, md5(id::text) || md5((id + 1)::text)
from generate_series(1, 10000) as id
on conflict (id) do nothing;

vacuum (analyze) corrente_lab.rows;
