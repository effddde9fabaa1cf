-- Lobbies: rooms that players find.

create table lobbies (
    room_id text primary key,
    app_id text not null,
    short_code text not null,
    visibility text not null,
    created_by text not null,
    location text not null,
    config text,
    created_at bigint not null
);
create index lobbies_code on lobbies (app_id, short_code, created_at);
create index lobbies_public on lobbies (app_id, visibility, created_at);
