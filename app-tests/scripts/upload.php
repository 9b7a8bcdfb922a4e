<?php

// Takes uploads: what it was told, and what the files hold.

header('Content-Type: text/plain');
foreach ($_FILES as $field => $file) {
    foreach ((array) $file['name'] as $key => $name) {
        $of = fn (string $what) => is_array($file[$what]) ? $file[$what][$key] : $file[$what];
        echo "{$field}[{$key}] $name ", $of('full_path'), ' ', $of('type'), ' ', $of('size'), ' ', $of('error');
        if ($of('error') === UPLOAD_ERR_OK) {
            $kept = dirname(__DIR__) . '/sessions/kept';
            echo ' ', is_uploaded_file($of('tmp_name')) ? 'uploaded' : 'not uploaded';
            echo ' ', move_uploaded_file($of('tmp_name'), $kept) ? 'moved' : 'not moved', ' ', hash_file('sha256', $kept);
        }
        echo "\n";
    }
}
echo json_encode([$_POST, array_keys($_FILES), strlen(file_get_contents('php://input'))]), "\n";
