//! Nothing leaves the file, nothing in the data runs, nothing complains.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::browser::{Browser, eventually, key};
use crate::harness::{Folder, good_csv, initsweep};
use crate::{article, reading, report_on};

/// Uses every control once.
fn use_everything(browser: &Browser) {
    for control in
        ["[name=bars][value=sd]", "[name=x][value=linear]", "#zoom-in", "#zoom-out", "#reset", "#levels thead button"]
    {
        browser.click(control);
    }
    browser.press(&[key::TAB, key::TAB, key::ENTER, key::DOWN]);
}

#[test]
fn no_request_leaves_the_file_and_the_console_is_silent() {
    let folder = report_on(article(), "");
    let browser = reading(&folder);
    use_everything(&browser);
    browser.show_as("", "dark");
    assert_eq!(browser.console(), [""; 0]);
    let file = format!("file://{}", folder.path("output/report.html").canonicalize().unwrap().display());
    let requests = browser.requests();
    assert!(requests.contains(&file), "the page itself is seen: {requests:?}");
    for request in requests {
        assert!(request == file || request.starts_with("data:"), "{request}");
    }
}

#[test]
fn it_is_small_and_shows_within_a_second() {
    let folder = report_on(article(), "");
    assert!(folder.bytes("output/report.html").len() < 1_500_000);
    let browser = reading(&folder);
    // The best of some: other work on the machine is none of the report's.
    let times = (0..5).map(|_| {
        browser.open(&folder.path("output/report.html"));
        let time = browser.run_to_end(
            "await new Promise(shown => requestAnimationFrame(() => requestAnimationFrame(shown)));
             return performance.now();",
        );
        time.as_f64().unwrap()
    });
    let best = times.fold(f64::INFINITY, f64::min);
    assert!(best < 1000.0, "{best} ms");
    println!("shown after {best:.0} ms");
}

/// Names that would be markup, scripts or control characters if they were not taken for text.
fn hostile_names() -> Vec<String> {
    vec![
        "<img src=x onerror=alert(1)>".into(),
        "</script><script>alert(1)</script>".into(),
        "</title></text></svg><svg onload=alert(1)>".into(),
        "\\u003c/script> \\\" ${alert(1)} `x`".into(),
        "\"quoted\" 'twice' & &lt;".into(),
        "<!-- --> ]]> <![CDATA[".into(),
        "{{ view.title }} {% if x %}".into(),
        "bell\u{7} escape\u{1b}[31m null-like\u{1} \u{2028} \u{fffe}".into(),
    ]
}

#[test]
fn names_stay_text() {
    let browser = Browser::start();
    for name in hostile_names() {
        let header = format!("\"{}\"", name.replace('"', "\"\""));
        let folder = Folder::with("runs.csv", good_csv().replacen("hidden_std_dev", &header, 1));
        let reference = format!("{}=0.5", name.replace('=', "_"));
        initsweep("report runs.csv --x")
            .arg(&name)
            .arg("--reference")
            .arg(reference)
            .in_folder(&folder)
            .run()
            .succeeds();
        // An alert would make every later command fail.
        browser.open(&folder.path("output/report.html"));
        use_everything(&browser);
        assert_eq!(browser.run("return document.scripts.length"), 2, "{name}");
        assert_eq!(
            browser.run("return document.querySelectorAll('img, [onerror], [onload], iframe').length"),
            0,
            "{name}"
        );
        assert_eq!(browser.console(), [""; 0], "{name}");
        if !name.contains(char::is_control) && !name.contains('\u{fffe}') {
            assert_eq!(browser.text("h1"), format!("loss by {name}"));
            assert!(browser.text("#figure text[text-anchor=middle]:last-of-type").contains(&name[..5]), "{name}");
        }
    }
}

#[test]
fn a_served_page_reloads_when_there_is_a_newer_report() {
    let folder = report_on(good_csv(), "");
    let page = folder.text("output/report.html");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/watch/", listener.local_addr().unwrap());
    let loads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&loads);
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut lines = BufReader::new(connection.try_clone().unwrap()).lines();
            let request = lines.next().unwrap().unwrap();
            lines.take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty())).for_each(drop);
            let answer = if request.starts_with("GET /watch/events ") {
                // One piece of news, after the first load alone.
                let news =
                    if counted.load(Ordering::SeqCst) == 1 { "event: report\ndata: 1\n\n" } else { ": nothing\n\n" };
                format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\nretry: 600000\n{news}"
                )
            } else {
                counted.fetch_add(1, Ordering::SeqCst);
                format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
                    page.len()
                )
            };
            // A browser that goes away meanwhile is no failure.
            let _ = connection.write_all(answer.as_bytes());
        }
    });
    let browser = Browser::start();
    browser.open_address(&address);
    eventually("the page is loaded again", || loads.load(Ordering::SeqCst) == 2);
    eventually("the page is there", || browser.run("return document.readyState === 'complete'") == true);
    assert_eq!(browser.console(), [""; 0], "and the policy allows it");
}
