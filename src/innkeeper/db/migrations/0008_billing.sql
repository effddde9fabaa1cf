-- What was used each month, what it costs, and who has proved their address.
-- Months are numbers such as 203001; amounts are whole cents, prices and quantities decimal texts inside the items.

-- 1 once all that an ended server used stands in usage_months.
alter table servers add column counted bigint not null default 0;
create index servers_uncounted on servers (id) where counted = 0;

-- How far each server is counted that is not counted to its end: processor time up to ``until``, bytes sent up to the
-- measurement at ``sampled_at``, which said ``egress_bytes``.
create table usage_marks (
    server_id text primary key,
    until bigint not null,
    sampled_at bigint not null,
    egress_bytes bigint not null
);

-- One row. Who counts holds it, so that nobody counts beside them.
create table usage_counting (
    one bigint primary key check (one = 1),
    at bigint not null
);
insert into usage_counting (one, at) values (1, 0);

create table usage_months (
    app_id text not null,
    month bigint not null,
    org_id text not null,
    cpu_micros bigint not null,
    egress_bytes bigint not null,
    primary key (app_id, month)
);
create index usage_months_org on usage_months (org_id, month);

-- Numbers of an invoice never change; that it was paid is written down later.
create table invoices (
    id text primary key,
    org_id text not null,
    month bigint not null,
    made_at bigint not null,
    due_at bigint not null,
    currency text not null,
    items text not null,
    due_cents bigint not null,
    paid_at bigint,
    paid_by text
);
create unique index invoices_month on invoices (org_id, month);

alter table users add column verified_at bigint;

-- Who asked for a mail that proves an address, known here or not. ``sent_at`` is null while that is to be seen to.
create table verifications (
    email text primary key,
    asked_at bigint not null,
    sent_at bigint
);
create index verifications_asked on verifications (asked_at);
