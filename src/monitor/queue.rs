//! What waits at GitHub: one call now and then, and none where one call does not tell.

use std::time::Duration;

use tokio::sync::watch::Sender;

use super::every;
use crate::github::{Client, QueuedRuns, Repository};
use crate::health::{Queue, WaitingRun};

/// Asks every `period`, and goes on until it is dropped. A `client` of an organisation or enterprise is not asked.
pub async fn follow_queue(client: &Client, period: Duration, queue: &Sender<Queue>) {
    let Some(repository) = client.repository() else {
        queue.send_replace(Queue::NoList);
        return std::future::pending().await;
    };
    let mut asks = every(period);
    loop {
        asks.tick().await;
        queue.send_replace(ask(client, &repository).await);
    }
}

async fn ask(client: &Client, repository: &Repository) -> Queue {
    match client.queued_workflow_runs(repository).await {
        Ok(QueuedRuns { total, runs }) => {
            let waiting = runs.into_iter().map(|run| WaitingRun {
                workflow: run.name,
                title: run.display_title,
                since: run.created_at,
                url: run.html_url,
            });
            Queue::Waiting { total, runs: waiting.collect() }
        }
        Err(error) => Queue::NoAnswer { reason: error.to_string() },
    }
}
