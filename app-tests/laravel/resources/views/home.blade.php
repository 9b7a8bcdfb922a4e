@extends('base')
@section('content')
<h1>Hello {{ $user }}</h1>
@endsection
