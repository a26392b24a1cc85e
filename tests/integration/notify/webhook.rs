//! A server that takes messages, and one that does not.

use super::*;

fn webhook(url: &str, format: WebhookFormat, limit: Duration) -> Receiver {
    let token = NotifyToken::parse(&SecretString::from(format!(" {CANARY}\n"))).unwrap();
    let client = Connection::new(Proxy::default(), None).client(true).unwrap();
    Receiver::Webhook(Webhook::new(client, url.parse().unwrap(), format, Some(&token), limit))
}

fn at(server: &Server, format: WebhookFormat) -> Receiver {
    webhook(&format!("http://{}/secret-topic?x=y", server.address), format, LONG)
}

fn ok() -> Reply {
    answer(200, &[], "{\"id\":\"x\"}")
}

async fn deliver(receiver: &Receiver) -> Result<(), Refusal> {
    ends(receiver.deliver(&Message::from(notice(NoticeKind::Failed, 1)), "cellar")).await
}

/// What is said of a refusal, which holds neither the token nor the topic.
fn told(refusal: &Refusal, receiver: &Receiver) -> String {
    let text = format!("{} {refusal:?}", receiver.name());
    assert!(!text.contains("CANARY") && !text.contains("secret-topic"), "{text}");
    text
}

#[tokio::test]
async fn json_is_posted_with_the_token_and_says_who_what_and_why() {
    let server = Server::start(vec![ok()]).await;
    let receiver = at(&server, WebhookFormat::Json);
    deliver(&receiver).await.unwrap();
    let request = &server.heard()[0];
    assert_eq!(request.line, "POST /secret-topic?x=y");
    assert_eq!(request.header("authorization"), Some(format!("Bearer {CANARY}").as_str()));
    assert_eq!(request.header("content-type"), Some("application/json"));
    let expected = serde_json::json!({
        "title": "homelab-runner-1 is in trouble",
        "message": "no listener runs\nhint: it is restarted by itself; else runnerctl restart 1",
        "host": "cellar", "time": "1970-01-01T00:00:00Z", "kind": "failed", "runner": 1, "name": "homelab-runner-1",
        "why": "no listener runs", "hint": "it is restarted by itself; else runnerctl restart 1", "count": 1, "also": [], "left": 0,
    });
    assert_eq!(request.json(), expected);
}

#[tokio::test]
async fn ntfy_gets_a_plain_body_and_headers() {
    let server = Server::start(vec![ok()]).await;
    let receiver = at(&server, WebhookFormat::Ntfy);
    ends(receiver.deliver(&Message::from(notice(NoticeKind::GaveUp, 2)), "cellar-ä")).await.unwrap();
    let request = &server.heard()[0];
    let header = |name| request.header(name).unwrap();
    assert_eq!(header("title"), "cellar-?: homelab-runner-2 is not restarted any more");
    assert_eq!((header("priority"), header("tags")), ("high", "rotating_light"));
    assert_eq!(header("content-type"), "text/plain; charset=utf-8");
    assert!(request.body.starts_with("no listener runs\nhint: read its log"), "{}", request.body);
}

#[tokio::test]
async fn a_redirection_is_not_followed_and_shows_the_token_to_nobody() {
    let other = Server::start(vec![ok()]).await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("Location: http://{}/elsewhere", other.address);
        let server = Server::start(vec![answer(status, &[&location], "")]).await;
        let receiver = at(&server, WebhookFormat::Json);
        let refusal = deliver(&receiver).await.unwrap_err();
        let text = told(&refusal, &receiver);
        assert!(text.contains("redirects elsewhere") && text.contains("set notify.webhook"), "{text}");
    }
    assert!(other.heard().is_empty(), "{:?}", other.lines());
}

#[tokio::test]
async fn why_a_message_was_not_taken_is_told_without_secrets() {
    let silence = Reply::BytesThenSilence(b"HTTP/1.1 20".to_vec());
    for (reply, words) in [
        (answer(401, &[], CANARY), "401"),
        (answer(404, &[], ""), "404"),
        (answer(500, &[], ""), "500"),
        (Reply::Reset, "cannot be reached"),
        (Reply::Bytes(b"nonsense\r\n\r\n".to_vec()), "cannot be reached"),
        (silence, "did not answer within 300ms"),
    ] {
        let server = Server::start(vec![reply]).await;
        let url = format!("http://{}/secret-topic", server.address);
        let receiver = webhook(&url, WebhookFormat::Ntfy, Duration::from_millis(300));
        let text = told(&deliver(&receiver).await.unwrap_err(), &receiver);
        assert!(text.contains(words), "{words}: {text}");
    }
    let gone = webhook("http://127.0.0.1:1/secret-topic", WebhookFormat::Json, LONG);
    let text = told(&deliver(&gone).await.unwrap_err(), &gone);
    assert!(text.contains("Connection refused"), "{text}");
}

#[tokio::test]
async fn a_server_that_asks_for_time_is_given_it() {
    let wait = "Retry-After: 17";
    let server = Server::start(vec![answer(429, &[wait], ""), answer(400, &[wait], "")]).await;
    let receiver = at(&server, WebhookFormat::Json);
    assert_eq!(deliver(&receiver).await.unwrap_err().retry_after, Some(Duration::from_secs(17)));
    assert_eq!(deliver(&receiver).await.unwrap_err().retry_after, None);
}

#[tokio::test]
async fn what_a_server_did_not_take_is_sent_again_until_it_does_with_what_happened_meanwhile() {
    let silence = Reply::BytesThenSilence(Vec::new());
    let server = Server::start(vec![answer(500, &[], ""), Reply::Reset, silence, ok()]).await;
    let url = format!("http://{}/topic", server.address);
    let receiver = webhook(&url, WebhookFormat::Json, Duration::from_millis(300));
    let notifier = notifier(receiver, "hourly_max = 60");
    notifier.tell(&notice(NoticeKind::Failed, 1));
    run(&notifier, async {
        until(|| server.heard().len() >= 2).await;
        notifier.tell(&notice(NoticeKind::GaveUp, 1));
        until(|| server.heard().len() >= 4).await;
    })
    .await;
    let last = server.heard()[3].json();
    assert_eq!((&last["kind"], &last["also"][0]["kind"]), (&"gave-up".into(), &"failed".into()), "{last}");
}

#[tokio::test]
async fn a_dead_server_is_asked_no_more_often_than_an_hour_allows() {
    let server = Server::start((0..9).map(|_| answer(500, &[], "")).collect()).await;
    let notifier = notifier(at(&server, WebhookFormat::Json), "hourly_max = 3");
    (1..=40).for_each(|number| notifier.tell(&notice(NoticeKind::Failed, number)));
    run(&notifier, async {
        until(|| server.heard().len() == 3).await;
        let more = tokio::time::timeout(Duration::from_millis(300), until(|| server.heard().len() > 3));
        assert!(more.await.is_err(), "{:?}", server.lines());
    })
    .await;
}
