/**
 * The API's shapes, as the server documents them. Made by `python tests/house/client_types.py`, not by hand.
 * Of the document 37309bf684f3ff934c2d2e978ff5d7a563c479768ef9208cffbb156c31e9f084
 */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export interface paths {
    "/api/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** That this is an Outrider server, and which */
        get: operations["health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What this token may do */
        get: operations["me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/login-codes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A link that logs a browser in, once */
        post: operations["create_login_code"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End this browser's session */
        post: operations["logout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every token and session, without secrets */
        get: operations["list_tokens"];
        put?: never;
        /** Make a token; its text is in this answer and nowhere else */
        post: operations["create_token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/tokens/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End a token and its sessions, at once */
        delete: operations["revoke_token"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make a run known, under the id that was chosen locally (idempotent) */
        post: operations["create_run"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The projects that this token may see */
        get: operations["list_projects"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The runs of a project: filtered, sorted, with chosen columns, a page at a time */
        get: operations["list_runs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Tag, archive or take back many runs */
        patch: operations["edit_runs"];
        trace?: never;
    };
    "/api/projects/{project}/columns": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Keys of config, summary, metrics and system series in a project */
        get: operations["list_columns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/runs/{run}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One run in full */
        get: operations["show_run"];
        put?: never;
        post?: never;
        /** Delete a run with everything that was recorded */
        delete: operations["delete_run"];
        options?: never;
        head?: never;
        /** Change a run's name, tags or notes, archive it or take it back */
        patch: operations["edit_run"];
        trace?: never;
    };
    "/api/projects/{project}/runs/move": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Put many runs into another project, which is made if need be */
        post: operations["move_runs"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/runs/delete": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Delete many runs with everything that was recorded */
        post: operations["delete_runs"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/series": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One metric of several runs, in buckets of the width asked for, or exact when few */
        get: operations["read_series"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/series/many": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Several metrics of several runs over one window */
        get: operations["read_many_series"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/groups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One metric of all runs that a filter lets through: a line and a band for each group */
        get: operations["read_groups"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/runs/{run}/system": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The system series of a run, over wall time */
        get: operations["read_system"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/runs/{run}/points": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One metric exactly as logged: all attempts, not merged, NaN as text */
        get: operations["read_points"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/runs/{run}/records": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The other records of a run, in order */
        get: operations["read_records"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/runs/{run}/console": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the run printed: lines as a terminal shows them, colours kept, a page at a time */
        get: operations["read_console"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/runs/{run}/console/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lines that match a regular expression, as far as one second gets */
        get: operations["search_console"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/runs/{run}/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The files of a run, by path; `present` says whether the server has the content */
        get: operations["list_files"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/runs/{run}/blobs/missing": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Which of these contents the project lacks; the others become this run's */
        post: operations["missing_contents"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/runs/{run}/blobs/{sha256}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Append a chunk to a content; with the last byte its hash is compared */
        put: operations["send_content"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/runs/{run}/blobs/{sha256}/state": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How many bytes of a content have arrived, and whether it is whole */
        get: operations["content_state"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/runs/{run}/blobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Many small contents at once; `wrong` are those whose hash is another */
        put: operations["send_contents"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/runs/{run}/code": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The code and the environment that a run was started from */
        get: operations["show_code"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/runs/{run}/media": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Images, sounds, videos, pages, texts, histograms, tables and figures of a run, by step */
        get: operations["list_media"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/runs/{run}/media/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The keys under which a run logged media, each with its steps */
        get: operations["list_media_keys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/runs/{run}/tables/{seq}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Rows of a table, sorted and a page at a time; cells of media are parts */
        get: operations["read_table"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/views": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The project's named views */
        get: operations["list_views"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/views/{view}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One named view; `state` is the query of the page's address */
        get: operations["show_view"];
        /** Keep a view under a name, or replace the one that has it */
        put: operations["keep_view"];
        post?: never;
        /** Delete a named view */
        delete: operations["delete_view"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/runs/{run}/alerts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A run's alerts in the order they came */
        get: operations["list_run_alerts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/alerts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A project's alerts, the newest first */
        get: operations["list_alerts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/rules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The rules that raise alerts in a project */
        get: operations["list_rules"];
        put?: never;
        /** Make a rule; it sees what comes in from now on */
        post: operations["add_rule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/rules/{rule}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Remove a rule; the alerts that it raised stay */
        delete: operations["delete_rule"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/webhook": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Where alerts are posted to, and how many wait */
        get: operations["show_webhook"];
        /** Set the address that alerts are posted to, or remove it with null */
        put: operations["set_webhook"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/projects/{project}/runs/{run}/journal/{writer}/{segment}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Append a batch of a writer's segment; the answer says that it is committed */
        post: operations["append_journal"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Value: Json;
        Error: {
            error: {
                code: string;
                message: string;
                hint: string | null;
            };
        };
        OffsetError: {
            error: {
                [key: string]: unknown;
            };
            offset: number;
        };
        Health: {
            service: string;
            version: string;
            protocol: number;
        };
        Me: {
            role: string;
            projects: string[] | null;
            name: string;
        };
        Project: {
            name: string;
            runs: number;
            running: number;
            updated: number | null;
        };
        Projects: {
            projects: components["schemas"]["Project"][];
        };
        RunCreated: {
            project: string;
            id: string;
            name: string | null;
            url: string;
            created: boolean;
            attempt: number;
            last_step: number | null;
            state: string;
            offsets: {
                [key: string]: {
                    [key: string]: number;
                };
            };
        };
        Ack: {
            offset: number;
            duplicate?: boolean;
        };
        RunRow: {
            metric: {
                [key: string]: components["schemas"]["Value"];
            };
            id: string;
            project: string;
            name: string | null;
            state: string;
            attempt: number;
            created: number;
            started: number;
            ended: number | null;
            updated: number;
            duration: number;
            group: string | null;
            job_type: string | null;
            tags: string[];
            notes: string | null;
            host: string | null;
            gaps: number;
            archived: boolean;
            config: {
                [key: string]: components["schemas"]["Value"];
            };
            summary: {
                [key: string]: components["schemas"]["Value"];
            };
        };
        Runs: {
            total: number;
            runs: components["schemas"]["RunRow"][];
            groups?: {
                value: components["schemas"]["Value"];
                runs: number;
                rest?: boolean;
            }[];
        };
        ManyRuns: {
            runs: number;
            missing: string[];
        };
        RunsChange: {
            runs: string[];
            archived?: boolean;
            add_tags?: string[];
            remove_tags?: string[];
        };
        ChangedRuns: {
            runs: number;
            missing: string[];
            undo: components["schemas"]["RunsChange"][];
        };
        MovedRuns: {
            runs: number;
            missing: string[];
            taken: string[];
        };
        Run: {
            id: string;
            project: string;
            name: string | null;
            state: string;
            attempt: number;
            created: number;
            started: number;
            ended: number | null;
            updated: number;
            duration: number;
            group: string | null;
            job_type: string | null;
            tags: string[];
            notes: string | null;
            host: string | null;
            gaps: number;
            archived: boolean;
            config: {
                [key: string]: components["schemas"]["Value"];
            };
            summary: {
                [key: string]: components["schemas"]["Value"];
            };
            metrics: {
                key: string;
                points: number;
                last: number | string | null;
                last_step: number | null;
                min: number | null;
                max: number | null;
                mean: number | null;
                min_step: number | null;
                max_step: number | null;
                nonfinite: number;
                step: string | null;
                summary: string | null;
                goal: string | null;
                hidden: boolean;
            }[];
            writers: {
                writer: string;
                host: string | null;
                pid: number | null;
                role: string | null;
                primary: boolean;
                attempt: number;
                state: string;
                end: {
                    [key: string]: components["schemas"]["Value"];
                } | null;
            }[];
            hosts: {
                [key: string]: {
                    [key: string]: components["schemas"]["Value"];
                };
            };
            end: {
                state: string;
                sentence: string;
                t?: number;
                code?: number | null;
                signal?: number | null;
                why?: {
                    type: string;
                    message: string;
                    traceback?: string | null;
                } | null;
                evidence?: {
                    [key: string]: components["schemas"]["Value"];
                } | null;
            } | null;
            attempts: {
                a: number;
                rewind: number | null;
                t: number | null;
            }[];
            has: {
                files: number;
                artifacts: number;
                code: boolean;
                media: boolean;
                console: boolean;
                alerts: number;
            };
            program: string | null;
            argv: string[] | null;
            python: string | null;
            cwd: string | null;
            adapter: components["schemas"]["Value"];
            outrider: components["schemas"]["Value"];
            url: string;
        };
        Columns: {
            config: {
                key: string;
                types: string[];
                runs: number;
            }[];
            summary: {
                key: string;
                types: string[];
                runs: number;
            }[];
            metrics: {
                key: string;
                runs: number;
                points: number;
                hidden: boolean;
                step: string | null;
            }[];
            system: {
                key: string;
                runs: number;
                points: number;
            }[];
        };
        Series: {
            key: string;
            x: string;
            series: {
                run: string;
                exact: boolean;
                total: number;
                x: number[];
                step: number[];
                time: number[];
                last: number[];
                min?: number[];
                max?: number[];
                mean?: number[];
                count?: number[];
                smooth?: number[];
                marks: {
                    x: number;
                    step: number;
                    value: string;
                    count: number;
                }[];
            }[];
            missing?: string[];
            unknown?: {
                name: string;
                at: number;
            }[];
        };
        ManySeries: {
            answers: components["schemas"]["Series"][];
        };
        Groups: {
            key: string;
            x: string;
            runs: number;
            groups: {
                value: components["schemas"]["Value"];
                runs: number;
                of: number;
                members: string[];
                names: (string | null)[];
                x: number[];
                mid: number[];
                low: number[];
                high: number[];
                n: number[];
                smooth?: number[];
                marks: {
                    x: number;
                    step: number;
                    value: string;
                    count: number;
                }[];
            }[];
            left_out: number;
        };
        SystemSeries: {
            series: {
                key: string;
                exact: boolean;
                total: number;
                x: number[];
                time: number[];
                last: number[];
                min?: number[];
                max?: number[];
                mean?: number[];
                count?: number[];
                smooth?: number[];
                marks: {
                    x: number;
                    step: number;
                    value: string;
                    count: number;
                }[];
            }[];
        };
        Points: {
            key: string;
            attempt: number[];
            steps: (number | null)[];
            times: number[];
            values: (number | string)[];
            next: string | null;
        };
        Records: {
            records: {
                [key: string]: unknown;
            }[];
            next: string | null;
            last: string | null;
        };
        Alerts: {
            alerts: {
                id: string;
                run: string;
                t: number;
                received: number;
                level: string;
                title: string;
                text: string;
                source: string;
                rule: string | null;
            }[];
            next: string | null;
        };
        Rule: {
            id: string;
            kind: string;
            metric?: string;
            value?: number;
            minutes?: number;
            level: string;
            created: number;
            says: string;
        };
        Rules: {
            rules: components["schemas"]["Rule"][];
        };
        Webhook: {
            url: string | null;
            waiting: number;
            last: {
                t?: number;
                id?: string;
                problem?: string | null;
            } | null;
        };
        Console: {
            total: number;
            first: number;
            lines: {
                n: number;
                t: number;
                o: string;
                b: string;
                w: string;
                gap?: number;
            }[];
            next: number | null;
            open: boolean;
        };
        ConsoleMatches: {
            matches: {
                n: number;
                t: number;
                o: string;
                b: string;
            }[];
            next: number | null;
            total: number;
        };
        File: {
            path: string;
            sha256: string | null;
            size: number | null;
            type: string | null;
            role: string;
            state: string;
            why: string | null;
            t: number;
            present: boolean;
            meta: {
                [key: string]: components["schemas"]["Value"];
            };
        };
        LoginCode: {
            url: string;
            expires: number;
        };
        Token: {
            id: string;
            name: string;
            kind?: string;
            role: string;
            projects: string[] | null;
            created: number;
            expires?: number | null;
            last_used?: number | null;
        };
        Tokens: {
            tokens: components["schemas"]["Token"][];
        };
        NewToken: {
            id: string;
            token: string;
            name?: string;
            role?: string;
        };
        Deleted: {
            deleted: boolean;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
        };
    };
    me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
        };
    };
    create_login_code: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    role?: string | null;
                    projects?: string[] | null;
                    opens?: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LoginCode"];
                };
            };
        };
    };
    logout: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Deleted"];
                };
            };
        };
    };
    list_tokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tokens"];
                };
            };
        };
    };
    create_token: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    name: string;
                    role?: string;
                    projects?: string[] | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewToken"];
                };
            };
        };
    };
    revoke_token: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Deleted"];
                };
            };
        };
    };
    create_run: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    project: string;
                    id: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunCreated"];
                };
            };
        };
    };
    list_projects: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Projects"];
                };
            };
        };
    };
    list_runs: {
        parameters: {
            query?: {
                filter?: string;
                sort?: string;
                limit?: number;
                offset?: number;
                columns?: string[];
                by?: string;
            };
            header?: never;
            path: {
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Runs"];
                };
            };
        };
    };
    edit_runs: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    runs: string[];
                    archived?: boolean;
                    add_tags?: string[];
                    remove_tags?: string[];
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChangedRuns"];
                };
            };
        };
    };
    list_columns: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Columns"];
                };
            };
        };
    };
    show_run: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project: string;
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"];
                };
            };
        };
    };
    delete_run: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project: string;
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Deleted"];
                };
            };
        };
    };
    edit_run: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project: string;
                run: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    name?: string;
                    tags?: string[];
                    notes?: string | null;
                    archived?: boolean;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"];
                };
            };
        };
    };
    move_runs: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    runs: string[];
                    to: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MovedRuns"];
                };
            };
        };
    };
    delete_runs: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    runs: string[];
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ManyRuns"];
                };
            };
        };
    };
    read_series: {
        parameters: {
            query?: {
                key?: string;
                expression?: string;
                run?: string[];
                x?: string;
                min?: number;
                max?: number;
                width?: number;
                smooth?: string;
            };
            header?: never;
            path: {
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Series"];
                };
            };
        };
    };
    read_many_series: {
        parameters: {
            query?: {
                key?: string[];
                run?: string[];
                x?: string;
                min?: number;
                max?: number;
                width?: number;
                smooth?: string;
            };
            header?: never;
            path: {
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ManySeries"];
                };
            };
        };
    };
    read_groups: {
        parameters: {
            query: {
                key?: string;
                expression?: string;
                by: string;
                filter?: string;
                centre?: "mean" | "median";
                band?: string;
                x?: string;
                min?: number;
                max?: number;
                width?: number;
                smooth?: string;
            };
            header?: never;
            path: {
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Groups"];
                };
            };
        };
    };
    read_system: {
        parameters: {
            query?: {
                min?: number;
                max?: number;
                width?: number;
            };
            header?: never;
            path: {
                project: string;
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SystemSeries"];
                };
            };
        };
    };
    read_points: {
        parameters: {
            query: {
                key: string;
                min_step?: number;
                max_step?: number;
                system?: boolean;
                cursor?: string;
            };
            header?: never;
            path: {
                project: string;
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Points"];
                };
            };
        };
    };
    read_records: {
        parameters: {
            query?: {
                kind?: string;
                after?: string;
                limit?: number;
            };
            header?: never;
            path: {
                project: string;
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Records"];
                };
            };
        };
    };
    read_console: {
        parameters: {
            query?: {
                line?: number;
                limit?: number;
                stream?: "out" | "err";
            };
            header?: never;
            path: {
                project: string;
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Console"];
                };
            };
        };
    };
    search_console: {
        parameters: {
            query: {
                q: string;
                from?: number;
                limit?: number;
            };
            header?: never;
            path: {
                project: string;
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConsoleMatches"];
                };
            };
        };
    };
    list_files: {
        parameters: {
            query?: {
                role?: string;
                prefix?: string;
                versions?: boolean;
                after?: string;
                limit?: number;
            };
            header?: never;
            path: {
                project: string;
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        files: components["schemas"]["File"][];
                        next: string | null;
                    };
                };
            };
        };
    };
    missing_contents: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project: string;
                run: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    sha256: string[];
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        missing: string[];
                    };
                };
            };
        };
    };
    send_content: {
        parameters: {
            query: {
                offset: number;
                size: number;
            };
            header?: never;
            path: {
                project: string;
                run: string;
                sha256: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        offset: number;
                        complete: boolean;
                    };
                };
            };
        };
    };
    content_state: {
        parameters: {
            query: {
                size: number;
            };
            header?: never;
            path: {
                project: string;
                run: string;
                sha256: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        offset: number;
                        complete: boolean;
                    };
                };
            };
        };
    };
    send_contents: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project: string;
                run: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        kept: string[];
                        wrong: string[];
                    };
                };
            };
        };
    };
    show_code: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project: string;
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: {
                            [key: string]: components["schemas"]["Value"];
                        } | null;
                        environment: {
                            [key: string]: components["schemas"]["Value"];
                        } | null;
                        files: components["schemas"]["File"][];
                        web: string | null;
                    };
                };
            };
        };
    };
    list_media: {
        parameters: {
            query?: {
                key?: string;
                min_step?: number;
                max_step?: number;
                after?: string;
                limit?: number;
            };
            header?: never;
            path: {
                project: string;
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        media: {
                            seq: number;
                            t: number;
                            step: number;
                            key: string;
                            type: string;
                            parts: {
                                sha256?: string | null;
                                size?: number | null;
                                type?: string | null;
                                present?: boolean;
                                state?: string;
                                why?: string;
                                caption?: string;
                                width?: number;
                                height?: number;
                                masks?: {
                                    [key: string]: components["schemas"]["Value"];
                                };
                                boxes?: {
                                    [key: string]: components["schemas"]["Value"];
                                };
                                fps?: number;
                                frames?: number;
                                rate?: number;
                                channels?: number;
                                seconds?: number;
                                value?: components["schemas"]["Value"];
                            }[];
                            value: {
                                [key: string]: components["schemas"]["Value"];
                            } | null;
                        }[];
                        next: string | null;
                    };
                };
            };
        };
    };
    list_media_keys: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project: string;
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        keys: {
                            key: string;
                            type: string;
                            count: number;
                            first_step: number;
                            last_step: number;
                        }[];
                    };
                };
            };
        };
    };
    read_table: {
        parameters: {
            query?: {
                offset?: number;
                limit?: number;
                sort?: string;
            };
            header?: never;
            path: {
                project: string;
                run: string;
                seq: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        key: string;
                        step: number;
                        columns: {
                            name: string;
                            type: string;
                        }[];
                        total: number;
                        left_out: number;
                        offset: number;
                        rows: components["schemas"]["Value"][][];
                    };
                };
            };
        };
    };
    list_views: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        views: {
                            name: string;
                            updated: number;
                            by: string;
                            state?: string;
                        }[];
                    };
                };
            };
        };
    };
    show_view: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project: string;
                view: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        name: string;
                        updated: number;
                        by: string;
                        state?: string;
                    };
                };
            };
        };
    };
    keep_view: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project: string;
                view: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    state: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        name: string;
                        updated: number;
                        by: string;
                        state?: string;
                    };
                };
            };
        };
    };
    delete_view: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project: string;
                view: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Deleted"];
                };
            };
        };
    };
    list_run_alerts: {
        parameters: {
            query?: {
                after?: string;
                limit?: number;
            };
            header?: never;
            path: {
                project: string;
                run: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Alerts"];
                };
            };
        };
    };
    list_alerts: {
        parameters: {
            query?: {
                after?: string;
                limit?: number;
            };
            header?: never;
            path: {
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Alerts"];
                };
            };
        };
    };
    list_rules: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rules"];
                };
            };
        };
    };
    add_rule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    kind: string;
                    metric?: string;
                    value?: number;
                    minutes?: number;
                    level?: string;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rule"];
                };
            };
        };
    };
    delete_rule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                project: string;
                rule: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Deleted"];
                };
            };
        };
    };
    show_webhook: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Webhook"];
                };
            };
        };
    };
    set_webhook: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    url: string | null;
                };
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Webhook"];
                };
            };
        };
    };
    append_journal: {
        parameters: {
            query: {
                offset: number;
            };
            header?: never;
            path: {
                project: string;
                run: string;
                writer: string;
                segment: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-ndjson": string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ack"];
                };
            };
        };
    };
}
