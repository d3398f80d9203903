CREATE SEQUENCE "public"."revision" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1;--> statement-breakpoint
CREATE TABLE "abuse" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"comment" uuid NOT NULL,
	"person" text,
	"reason" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"resolved" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "account" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"provider_id" text NOT NULL,
	"user_id" text NOT NULL,
	"access_token" text,
	"refresh_token" text,
	"id_token" text,
	"access_token_expires_at" timestamp with time zone,
	"refresh_token_expires_at" timestamp with time zone,
	"scope" text,
	"password" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "api_keys" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"person" text NOT NULL,
	"name" text NOT NULL,
	"hash" text NOT NULL,
	"made" timestamp with time zone NOT NULL,
	"used" timestamp with time zone,
	"revoked" timestamp with time zone,
	CONSTRAINT "api_keys_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
CREATE TABLE "authors" (
	"paper" text NOT NULL,
	"place" integer NOT NULL,
	"name" text NOT NULL,
	"key" text NOT NULL,
	CONSTRAINT "authors_paper_place_pk" PRIMARY KEY("paper","place")
);
--> statement-breakpoint
CREATE TABLE "comments" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"paper" text NOT NULL,
	"parent" uuid,
	"person" text,
	"name" text NOT NULL,
	"body" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"deleted" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "deliveries" (
	"issue" uuid NOT NULL,
	"subscriber" uuid NOT NULL,
	"state" text NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"due" timestamp with time zone NOT NULL,
	"held_until" timestamp with time zone,
	"message_id" text NOT NULL,
	"sent" timestamp with time zone,
	"error" text,
	CONSTRAINT "deliveries_issue_subscriber_pk" PRIMARY KEY("issue","subscriber")
);
--> statement-breakpoint
CREATE TABLE "embedding_models" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"kind" text NOT NULL,
	"width" integer NOT NULL,
	"state" text NOT NULL,
	"parameters" "bytea",
	"made" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "embeddings" (
	"model" uuid NOT NULL,
	"paper" text NOT NULL,
	"vector" "bytea" NOT NULL,
	"text_hash" text NOT NULL,
	"revision" bigint DEFAULT nextval('revision') NOT NULL,
	CONSTRAINT "embeddings_model_paper_pk" PRIMARY KEY("model","paper")
);
--> statement-breakpoint
CREATE TABLE "follows" (
	"person" text NOT NULL,
	"kind" text NOT NULL,
	"value" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "follows_person_kind_value_pk" PRIMARY KEY("person","kind","value")
);
--> statement-breakpoint
CREATE TABLE "ingests" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"source" text NOT NULL,
	"state" text NOT NULL,
	"cursor" jsonb,
	"added" integer DEFAULT 0 NOT NULL,
	"changed" integer DEFAULT 0 NOT NULL,
	"same" integer DEFAULT 0 NOT NULL,
	"refused" integer DEFAULT 0 NOT NULL,
	"error" text,
	"started" timestamp with time zone NOT NULL,
	"finished" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "issues" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"cadence" text NOT NULL,
	"day" date NOT NULL,
	"papers" text[] NOT NULL,
	"made" timestamp with time zone NOT NULL,
	CONSTRAINT "issues_once" UNIQUE("cadence","day")
);
--> statement-breakpoint
CREATE TABLE "paper_topics" (
	"paper" text NOT NULL,
	"topic" text NOT NULL,
	"weight" real NOT NULL,
	"posted" date NOT NULL,
	CONSTRAINT "paper_topics_paper_topic_pk" PRIMARY KEY("paper","topic")
);
--> statement-breakpoint
CREATE TABLE "papers" (
	"id" text PRIMARY KEY NOT NULL,
	"title" text NOT NULL,
	"title_key" text NOT NULL,
	"abstract" text NOT NULL,
	"abstract_kind" text DEFAULT 'abstract' NOT NULL,
	"arxiv" text,
	"doi" text,
	"version" integer DEFAULT 1 NOT NULL,
	"text_version" integer DEFAULT 1 NOT NULL,
	"text_at" date DEFAULT '0001-01-01' NOT NULL,
	"text_source" text DEFAULT '' NOT NULL,
	"authors_version" integer DEFAULT 0 NOT NULL,
	"author_count" integer NOT NULL,
	"posted" date NOT NULL,
	"year_inferred" boolean DEFAULT false NOT NULL,
	"first_seen" timestamp with time zone NOT NULL,
	"updated" timestamp with time zone NOT NULL,
	"withdrawn" boolean DEFAULT false NOT NULL,
	"categories" text[] DEFAULT '{}' NOT NULL,
	"links" text[] DEFAULT '{}' NOT NULL,
	"code_url" text,
	"code_given" boolean DEFAULT false NOT NULL,
	"system" text,
	"implemented" boolean DEFAULT false NOT NULL,
	"source" text NOT NULL,
	"submitted_by" text,
	"imported_comments" integer DEFAULT 0 NOT NULL,
	"local_comments" integer DEFAULT 0 NOT NULL,
	"imported_votes" integer DEFAULT 0 NOT NULL,
	"local_votes" integer DEFAULT 0 NOT NULL,
	"views" integer DEFAULT 0 NOT NULL,
	"discussion" integer GENERATED ALWAYS AS (imported_comments + local_comments) STORED,
	"activity" double precision GENERATED ALWAYS AS ((imported_comments + local_comments + imported_votes + local_votes)::float8 + ln(1 + views::float8)) STORED,
	"level" integer GENERATED ALWAYS AS (floor(ln(1 + (imported_comments + local_comments + imported_votes + local_votes)::float8 + ln(1 + views::float8)) / ln(2::float8))::int) STORED,
	"digest" jsonb,
	"keyphrases" jsonb,
	"digested_hash" text,
	"revision" bigint DEFAULT nextval('revision') NOT NULL,
	"words" "tsvector" GENERATED ALWAYS AS (setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', abstract), 'B')) STORED,
	CONSTRAINT "papers_authors" CHECK ("papers"."author_count" >= 1)
);
--> statement-breakpoint
CREATE TABLE "picks" (
	"day" date NOT NULL,
	"place" integer NOT NULL,
	"paper" text NOT NULL,
	"curator" text NOT NULL,
	"curator_name" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "picks_day_paper_pk" PRIMARY KEY("day","paper")
);
--> statement-breakpoint
CREATE TABLE "rate_limits" (
	"key" text PRIMARY KEY NOT NULL,
	"points" integer DEFAULT 0 NOT NULL,
	"expire" bigint
);
--> statement-breakpoint
CREATE TABLE "runs" (
	"id" text PRIMARY KEY NOT NULL,
	"method" text NOT NULL,
	"params" jsonb NOT NULL,
	"options" jsonb NOT NULL,
	"budget" text,
	"seed" integer DEFAULT 0 NOT NULL,
	"input" jsonb NOT NULL,
	"state" text NOT NULL,
	"progress" jsonb,
	"report" jsonb,
	"error" text,
	"by" text NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"held_until" timestamp with time zone,
	"made" timestamp with time zone NOT NULL,
	"started" timestamp with time zone,
	"finished" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "session" (
	"id" text PRIMARY KEY NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"token" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"ip_address" text,
	"user_agent" text,
	"user_id" text NOT NULL,
	CONSTRAINT "session_token_unique" UNIQUE("token")
);
--> statement-breakpoint
CREATE TABLE "subscribers" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"email" text NOT NULL,
	"address" text NOT NULL,
	"state" text NOT NULL,
	"cadence" text NOT NULL,
	"topics" text[] DEFAULT '{}' NOT NULL,
	"confirm_hash" text,
	"confirm_until" timestamp with time zone,
	"wanted" jsonb,
	"bounces" integer DEFAULT 0 NOT NULL,
	"made" timestamp with time zone NOT NULL,
	"confirmed" timestamp with time zone,
	CONSTRAINT "subscribers_address_unique" UNIQUE("address")
);
--> statement-breakpoint
CREATE TABLE "topics" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"says" text NOT NULL,
	"phrases" text[] NOT NULL,
	"categories" text[] DEFAULT '{}' NOT NULL
);
--> statement-breakpoint
CREATE TABLE "user" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"email" text NOT NULL,
	"email_verified" boolean DEFAULT false NOT NULL,
	"image" text,
	"role" text DEFAULT 'reader' NOT NULL,
	"banned" boolean DEFAULT false NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "user_email_unique" UNIQUE("email")
);
--> statement-breakpoint
CREATE TABLE "verification" (
	"id" text PRIMARY KEY NOT NULL,
	"identifier" text NOT NULL,
	"value" text NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "versions" (
	"paper" text NOT NULL,
	"version" integer NOT NULL,
	"at" date NOT NULL,
	"title" text NOT NULL,
	"title_key" text NOT NULL,
	"abstract" text NOT NULL,
	"note" text,
	CONSTRAINT "versions_paper_version_pk" PRIMARY KEY("paper","version")
);
--> statement-breakpoint
CREATE TABLE "views" (
	"paper" text NOT NULL,
	"day" date NOT NULL,
	"visitor" text NOT NULL,
	"counted" boolean DEFAULT false NOT NULL,
	CONSTRAINT "views_paper_day_visitor_pk" PRIMARY KEY("paper","day","visitor")
);
--> statement-breakpoint
CREATE TABLE "votes" (
	"paper" text NOT NULL,
	"person" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "votes_paper_person_pk" PRIMARY KEY("paper","person")
);
--> statement-breakpoint
ALTER TABLE "abuse" ADD CONSTRAINT "abuse_comment_comments_id_fk" FOREIGN KEY ("comment") REFERENCES "public"."comments"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "abuse" ADD CONSTRAINT "abuse_person_user_id_fk" FOREIGN KEY ("person") REFERENCES "public"."user"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "account" ADD CONSTRAINT "account_user_id_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."user"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_person_user_id_fk" FOREIGN KEY ("person") REFERENCES "public"."user"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "authors" ADD CONSTRAINT "authors_paper_papers_id_fk" FOREIGN KEY ("paper") REFERENCES "public"."papers"("id") ON DELETE cascade ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "comments" ADD CONSTRAINT "comments_paper_papers_id_fk" FOREIGN KEY ("paper") REFERENCES "public"."papers"("id") ON DELETE cascade ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "comments" ADD CONSTRAINT "comments_person_user_id_fk" FOREIGN KEY ("person") REFERENCES "public"."user"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "comments" ADD CONSTRAINT "comments_parent_comments_id_fk" FOREIGN KEY ("parent") REFERENCES "public"."comments"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_issue_issues_id_fk" FOREIGN KEY ("issue") REFERENCES "public"."issues"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_subscriber_subscribers_id_fk" FOREIGN KEY ("subscriber") REFERENCES "public"."subscribers"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "embeddings" ADD CONSTRAINT "embeddings_model_embedding_models_id_fk" FOREIGN KEY ("model") REFERENCES "public"."embedding_models"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "embeddings" ADD CONSTRAINT "embeddings_paper_papers_id_fk" FOREIGN KEY ("paper") REFERENCES "public"."papers"("id") ON DELETE cascade ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "follows" ADD CONSTRAINT "follows_person_user_id_fk" FOREIGN KEY ("person") REFERENCES "public"."user"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "paper_topics" ADD CONSTRAINT "paper_topics_paper_papers_id_fk" FOREIGN KEY ("paper") REFERENCES "public"."papers"("id") ON DELETE cascade ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "paper_topics" ADD CONSTRAINT "paper_topics_topic_topics_id_fk" FOREIGN KEY ("topic") REFERENCES "public"."topics"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "picks" ADD CONSTRAINT "picks_paper_papers_id_fk" FOREIGN KEY ("paper") REFERENCES "public"."papers"("id") ON DELETE cascade ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "session" ADD CONSTRAINT "session_user_id_user_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."user"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "versions" ADD CONSTRAINT "versions_paper_papers_id_fk" FOREIGN KEY ("paper") REFERENCES "public"."papers"("id") ON DELETE cascade ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "views" ADD CONSTRAINT "views_paper_papers_id_fk" FOREIGN KEY ("paper") REFERENCES "public"."papers"("id") ON DELETE cascade ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "votes" ADD CONSTRAINT "votes_paper_papers_id_fk" FOREIGN KEY ("paper") REFERENCES "public"."papers"("id") ON DELETE cascade ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "votes" ADD CONSTRAINT "votes_person_user_id_fk" FOREIGN KEY ("person") REFERENCES "public"."user"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "authors_key" ON "authors" USING btree ("key");--> statement-breakpoint
CREATE INDEX "comments_paper" ON "comments" USING btree ("paper","at");--> statement-breakpoint
CREATE INDEX "deliveries_due" ON "deliveries" USING btree ("state","due");--> statement-breakpoint
CREATE INDEX "embeddings_revision" ON "embeddings" USING btree ("model","revision");--> statement-breakpoint
CREATE INDEX "paper_topics_topic" ON "paper_topics" USING btree ("topic","posted" DESC NULLS FIRST,"paper");--> statement-breakpoint
CREATE INDEX "papers_title_key" ON "papers" USING btree ("title_key");--> statement-breakpoint
CREATE UNIQUE INDEX "papers_arxiv" ON "papers" USING btree ("arxiv");--> statement-breakpoint
CREATE UNIQUE INDEX "papers_doi" ON "papers" USING btree ("doi");--> statement-breakpoint
CREATE INDEX "papers_posted" ON "papers" USING btree ("posted" DESC NULLS FIRST,"discussion" DESC NULLS FIRST,"id");--> statement-breakpoint
CREATE INDEX "papers_discussion" ON "papers" USING btree ("discussion" DESC NULLS FIRST,"posted" DESC NULLS FIRST,"id");--> statement-breakpoint
CREATE INDEX "papers_level" ON "papers" USING btree ("level","posted" DESC NULLS FIRST,"id");--> statement-breakpoint
CREATE INDEX "papers_system" ON "papers" USING btree ("system");--> statement-breakpoint
CREATE INDEX "papers_undigested" ON "papers" USING btree ("updated") WHERE digested_hash IS NULL;--> statement-breakpoint
CREATE INDEX "papers_first_seen" ON "papers" USING btree ("first_seen" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "papers_revision" ON "papers" USING btree ("revision");--> statement-breakpoint
CREATE INDEX "papers_words" ON "papers" USING gin ("words");--> statement-breakpoint
CREATE INDEX "runs_queue" ON "runs" USING btree ("state","made");--> statement-breakpoint
CREATE INDEX "runs_by" ON "runs" USING btree ("by","made");--> statement-breakpoint
CREATE INDEX "versions_title_key" ON "versions" USING btree ("title_key");