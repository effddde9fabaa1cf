-- What is told once, to a URL that came with a request, about one thing, in the words of the API that was asked.

-- ``receiver`` is the scheme, host and port of ``url``; ``occasion`` is what the subject has come to. ``body`` is put
-- together before the first attempt, and is the same at every one. Those of one subject go out to one receiver one after
-- the other, by ``place``: the first that is pending has a time for its next attempt, those behind it have none.
create table callbacks (
    place [[serial]],
    id text not null unique,
    org_id text not null,
    kind text not null,
    subject text not null,
    occasion text not null,
    url text not null,
    receiver text not null,
    body text,
    state text not null,
    attempts bigint not null,
    tried_since bigint not null,
    next_at bigint,
    last_at bigint,
    last_status bigint,
    last_error text,
    created_at bigint not null,
    ended_at bigint
);
create index callbacks_due on callbacks (org_id, receiver, next_at) where next_at is not null;
create index callbacks_line on callbacks (kind, subject, receiver, place) where state = 'pending';
create index callbacks_of_org on callbacks (org_id, place);
create index callbacks_ended on callbacks (ended_at) where ended_at is not null;

-- What an organisation's callbacks are signed with. Made when it is needed first.
create table callback_secrets (
    org_id text primary key,
    secret_sealed text not null,
    old_secret_sealed text,
    old_until bigint,
    created_at bigint not null
);
